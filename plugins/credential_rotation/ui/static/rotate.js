// "Rotate now": a form of our own, a run of the rotating DAG with this browser's login, and what came of it.

import { ask } from "./airflow.js";
import { compromise } from "./compromise.js";
import { el, show } from "./dom.js";
import { begin, changed, ended, follow, left, refusal } from "./run.js";

const MOST_REASON = 500;

export function rotateButton(one, mayRotate, again) {
  if (!one.dag) return null;
  if (!mayRotate) {
    return el("p", { class: "quiet no-button" }, "You may look. To rotate, you need the permission to trigger ", el("code", {}, one.dag), ".");
  }
  return el("button", { type: "button", class: "primary", onclick: () => open(one, again) }, "Rotate now");
}

function open(one, again) {
  const reason = el("textarea", { id: "reason", rows: 3, maxlength: MOST_REASON });
  const force = el("input", { type: "checkbox", id: "force" });
  const dry = el("input", { type: "checkbox", id: "dry" });
  const told = el("div", { class: "told", role: "status" });
  const go = el("button", { type: "submit", class: "primary" }, "Rotate");
  const close = el("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const usual = el("p", {}, effect(one));
  const mode = compromise(one, wanted);
  dry.addEventListener("change", () => mode.dry(dry.checked));
  const form = el("form", { onsubmit: (event) => { event.preventDefault(); submit(); }, oninput: () => changed(told) },
    el("h2", { id: "asked" }, `Rotate ${one.name} now`),
    usual,
    el("label", { for: "reason" }, "Reason"), reason,
    el("p", { class: "quiet" }, "Kept as evidence. Required when forced, and in compromise mode."),
    el("p", { class: "check" }, dry, el("label", { for: "dry" }, "Dry run: look and ask the target; change nothing")),
    el("p", { class: "check" }, force, el("label", { for: "force" }, "Force: in spite of its policy's pause and window, and where no stored value works")),
    mode.part, told, el("p", { class: "buttons" }, close, go));
  const dialog = el("dialog", { "aria-labelledby": "asked", onclose: () => dialog.remove() }, form);

  /** What the button does, and whether it may be pressed yet. */
  function wanted() {
    const revokes = mode.isOn() && !dry.checked;
    go.textContent = dry.checked ? "Look" : revokes ? "Revoke now" : "Rotate";
    go.classList.toggle("danger", revokes);
    go.disabled = revokes && !mode.isMeant();
    force.disabled = usual.hidden = mode.isOn();
  }

  async function submit() {
    if (go.disabled) return;
    go.disabled = true;
    const conf = { credentials: [one.name], force: force.checked && !mode.isOn(), dry_run: dry.checked };
    if (mode.isOn()) conf.revoke = true;
    if (reason.value.trim()) conf.reason = reason.value.trim();
    try {
      await run(one, conf, told);
      close.textContent = "Close";
      go.hidden = true;
      if (!dry.checked) again();
    } catch (wrong) {
      show(told, refusal(wrong, one.dag));
      wanted();
    }
  }
  document.body.append(dialog);
  dialog.showModal();
  reason.focus();
}

function effect(one) {
  return one.strategy === "in place"
    ? "A new value is made, proved and stored. The old one stops working at once; who reads it anew gets the new one."
    : "A new value is made, proved and stored. The old one works on until grace is over.";
}

async function run(one, conf, told) {
  show(told, el("p", {}, "Asking …"));
  const { refused } = await ask("credential_rotation/wish", { method: "POST", body: conf });
  if (refused) throw new Error(refused);
  const made = await begin(one.dag, conf, conf.revoke ? "Compromise mode, on the page Credentials" : "Rotate now, on the page Credentials",
    conf.revoke ? `, or revoke from a shell: python -m credential_rotation revoke ${one.name} --reason …` : "");
  if (one.needs_approval && !conf.dry_run && !conf.revoke) return show(told, await asked(one, made, told));
  const state = await follow(made, told);
  const found = await outcome(made).catch(() => null);
  const [kept, trouble] = found ? [found] : await unplanned(one, made);
  show(told, ended(made, state, kept, trouble));
}

const planner = (one) => (one.needs_approval ? "plan_approvals" : "plan_rotations");

/** That a person is asked, once the plan is made; or why nobody is. */
async function asked(one, made, told) {
  const state = await follow({ ...made, here: `${made.here}/taskInstances/${planner(one)}` }, told);
  const [kept, trouble] = await unplanned(one, made);
  if (kept || trouble || state !== "success") return ended(made, "failed", kept, trouble);
  return el("p", { class: "notice warn", id: "ended" },
    "Asked. It begins when somebody else says yes in Airflow: ", made.link, ". Slack has the question too.");
}

/** What the planner says of who was given no task, and of a plan that was not made. */
async function unplanned(one, made) {
  const shares = await left(made, planner(one), "shares");
  return [shares?.left_out?.find((each) => each.name === one.name), await left(made, planner(one), "trouble")];
}

/** What the one credential's task left, whichever queue and pool it ran in. */
async function outcome(made) {
  const { task_instances: all } = await ask(`${made.here}/taskInstances?map_index=0`);
  const { task_id: task } = all.find((one) => one.map_index === 0 && /^rotate(\.|$)/.test(one.task_id));
  return left(made, task, "outcome", "?map_index=0");
}
