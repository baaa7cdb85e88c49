// What people do by hand: change what no tool can, give a new value to who takes it so, and say that it is done.

import { leaving } from "./airflow.js";
import { el } from "./dom.js";
import { moment } from "./times.js";
import { RECORDS, wordButton } from "./word.js";

/** Instead of "Rotate now": how a person does it. */
export function byHand(one, may, again) {
  const told = one.by_hand;
  const isLink = /^https?:\/\/\S+$/.test(told.instructions);
  const wanted = {
    words: "I have changed it", title: `I have changed ${one.name}`, conf: { done: "close" }, command: told.command,
    effect: "Reminders begin anew, and it is evidence like any rotation.",
  };
  return el("section", { class: "notice idle", "aria-labelledby": "by-hand" },
    el("h2", { id: "by-hand" }, "No tool can rotate it: a person does"),
    el("p", { class: "instructions" }, isLink ? leaving(el("a", {}, told.instructions), told.instructions) : told.instructions),
    wordButton(one, wanted, may[RECORDS] === true, again),
    without(told.command));
}

/** Who has to be given the new value, each with a button. */
export function handedOn(one, may, again) {
  return el("section", { class: "notice idle", "aria-labelledby": "handed-on" },
    el("h2", { id: "handed-on" }, "Taken by hand: a person hands it on"),
    one.awaits.map((each) => taker(one, each, may[RECORDS] === true, again)));
}

function taker(one, each, mayTrigger, again) {
  const wanted = {
    words: `${each.consumer} has the new value`, title: `${each.consumer} has version ${each.version} of ${one.name}`,
    conf: { done: "confirm", consumer: each.consumer, version: each.version }, command: each.command,
    effect: "What it replaced may be ended then. This counts for this version alone.",
  };
  return el("div", { class: "taker" },
    el("p", {}, `Give ${each.who} version ${each.version}${each.until ? `, by ${moment(each.until)}` : ""}: Bitwarden's web vault shows it.`),
    wordButton(one, wanted, mayTrigger, again),
    without(each.command));
}

function without(command) {
  return el("p", { class: "why" }, "Without Airflow: ", el("code", {}, command));
}
