// Compromise mode in "Rotate now": what it will break is shown first, and the name has to be typed.

import { ask } from "./airflow.js";
import { el, show } from "./dom.js";
import { moment } from "./times.js";

const BY_HAND = "manual: ";
const MOST_NAMED = 12;

/** The switch and what it opens; `changed` is called when whether it may be sent has changed. */
export function compromise(one, changed) {
  const on = el("input", { type: "checkbox", id: "revoke" });
  const typed = el("input", { type: "text", id: "typed", autocomplete: "off", spellcheck: "false" });
  const told = el("div", { "aria-live": "polite" });
  const step = el("p", {}, el("label", { for: "typed" }, "To go on, type the name: ", el("code", {}, one.name)), typed);
  const opened = el("div", { class: "notice bad", hidden: true },
    el("p", {}, el("strong", {}, "For a value that may be in wrong hands. "), "What happens, at once:"), told, step);
  on.addEventListener("change", async () => {
    opened.hidden = !on.checked;
    typed.value = "";
    changed();
    if (on.checked) show(told, await breaks(one));
  });
  typed.addEventListener("input", changed);
  return {
    part: el("div", {}, el("p", { class: "check" }, on,
      el("label", { for: "revoke" }, "Compromise mode: the old value dies at once, and nothing holds it up")), opened),
    isOn: () => on.checked,
    isMeant: () => typed.value.trim() === one.name,
    dry: (isDry) => { step.hidden = isDry; changed(); },
  };
}

/** Asked anew: who reads it may have changed since the page was opened. */
async function breaks(one) {
  const { credential } = await ask(`credential_rotation/data/credential?name=${encodeURIComponent(one.name)}`)
    .catch(() => ({ credential: { ...one, readers: null } }));
  const version = credential.version === null ? "The value in use" : `Version ${credential.version}`;
  const consumers = credential.consumers ?? [];
  const people = consumers.filter((who) => who.startsWith(BY_HAND)).map((who) => who.slice(BY_HAND.length));
  const asked = consumers.filter((who) => !who.startsWith(BY_HAND));
  return el("ul", {},
    el("li", {}, `${version} is replaced and dies, without grace`, credential.is_open ? "; so does the version before it." : "."),
    el("li", {}, credential.is_key
      ? "Temporary credentials that were drawn with the key are not ended: they live until they expire."
      : `Open sessions of ${(credential.principals ?? []).join(", ")} are ended, where the admin may; a dry run names them.`),
    el("li", {}, refused(credential.readers)),
    people.length > 0 && el("li", {}, `Broken until a person gives it the new value by hand: ${people.join(", ")}.`),
    asked.length > 0 && el("li", {}, `Asked after that, when it is dead already: ${asked.join(", ")}.`),
    el("li", {}, "Pause, window and brake of its policy do not hold it up, and nothing goes back to the old value."));
}

function refused(readers) {
  if (readers === null) return "Who reads it could not be asked just now.";
  if (readers.length === 0) return "No task is known that has read it. Whoever keeps it in memory all the same is refused.";
  const named = readers.slice(0, MOST_NAMED).map((one) =>
    `${one.dag ? [one.dag, one.task].filter(Boolean).join(", ") : one.user || one.program || "a process"} on ${one.host}${one.last ? `, ${moment(one.last)}` : ""}`);
  return [`Refused from then on, ${readers.length} known: `, el("span", { class: "why" }, named.join("; "), readers.length > MOST_NAMED && `; and ${readers.length - MOST_NAMED} more`)];
}
