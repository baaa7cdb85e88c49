// What no tool can rotate: instead of "Rotate now", how a person does it and says that it is done.

import { leaving } from "./airflow.js";
import { el } from "./dom.js";

export function byHand(told) {
  const isLink = /^https?:\/\/\S+$/.test(told.instructions);
  return el("section", { class: "notice idle", "aria-labelledby": "by-hand" },
    el("h2", { id: "by-hand" }, "No tool can rotate it: a person does"),
    el("p", { class: "instructions" }, isLink ? leaving(el("a", {}, told.instructions), told.instructions) : told.instructions),
    el("p", {}, told.how));
}
