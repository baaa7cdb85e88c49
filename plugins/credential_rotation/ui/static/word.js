// A person's word: "I have changed it", or that somebody has the new value, as a run of record_by_hand.

import { ask } from "./airflow.js";
import { el, show } from "./dom.js";
import { begin, changed, ended, follow, left, refusal } from "./run.js";

export const RECORDS = "record_by_hand";
const MOST_REASON = 500;

/** The button, or why there is none. `wanted`: what is said, `words` on the button, and the `command` that says the same. */
export function wordButton(one, wanted, mayTrigger, again) {
  if (!mayTrigger) {
    return el("p", { class: "quiet" }, "You may look. To say that it is done, you need the permission to trigger ", el("code", {}, RECORDS), ".");
  }
  return el("button", { type: "button", class: "primary", onclick: () => open(one, wanted, again) }, wanted.words);
}

function open(one, wanted, again) {
  const closes = wanted.conf.done === "close";
  const reason = el("textarea", { id: "reason", rows: 3, maxlength: MOST_REASON });
  const day = el("input", { type: "date", id: "day", max: new Date().toISOString().slice(0, 10), "aria-describedby": "day-is" });
  const unchanged = el("input", { type: "checkbox", id: "unchanged" });
  const told = el("div", { class: "told", role: "status" });
  const go = el("button", { type: "submit", class: "primary" }, "Say so");
  const close = el("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const form = el("form", { onsubmit: (event) => { event.preventDefault(); submit(); }, oninput: () => changed(told) },
    el("h2", { id: "asked" }, wanted.title),
    el("p", {}, wanted.effect),
    el("label", { for: "reason" }, closes ? "What was done" : "Remark"), reason,
    el("p", { class: "quiet" }, `Kept as evidence, with your name. ${closes ? "Required." : "May be left out."}`),
    closes && el("p", {}, el("label", { for: "day" }, "Changed on"), day, el("span", { class: "why", id: "day-is" }, "A day in UTC. Empty: now.")),
    closes && one.vault?.project && el("p", { class: "check" }, unchanged,
      el("label", { for: "unchanged" }, "Its secret in Bitwarden was not changed since it was closed last, and that is right")),
    told, el("p", { class: "buttons" }, close, go));
  const dialog = el("dialog", { "aria-labelledby": "asked", onclose: () => dialog.remove() }, form);

  async function submit() {
    if (go.disabled) return;
    go.disabled = true;
    const conf = { credential: one.name, ...wanted.conf };
    if (reason.value.trim()) conf.reason = reason.value.trim();
    if (day.value) conf.changed_on = day.value;
    if (unchanged.checked) conf.unchanged = true;
    try {
      if (await run(conf, wanted, told)) {
        close.textContent = "Close";
        go.hidden = true;
        again();
      }
    } catch (wrong) {
      show(told, refusal(wrong, RECORDS));
    }
    go.disabled = false;
  }
  document.body.append(dialog);
  dialog.showModal();
  reason.focus();
}

/** Whether it was kept. */
async function run(conf, wanted, told) {
  show(told, el("p", {}, "Asking …"));
  const { refused } = await ask("credential_rotation/word", { method: "POST", body: conf });
  if (refused) throw new Error(refused);
  const made = await begin(RECORDS, conf, `${wanted.words}, on the page Credentials`, `, or say it from a shell: ${wanted.command}`);
  const state = await follow(made, told);
  show(told, ended(made, state, await left(made, "record", "outcome"), await left(made, "record", "trouble")));
  return state === "success";
}
