// One credential: how it stands, how it is kept, who reads it, and the timeline of its rotations.

import { leaving, logPath, runPath } from "./airflow.js";
import { byHand, handedOn } from "./by_hand.js";
import { badge, el, show } from "./dom.js";
import { rotateButton } from "./rotate.js";
import { ageCell } from "./table.js";
import { brief, fromNow, moment, sentence, span } from "./times.js";

const WAITS = "Waits for a person";

export function detailView(place, said, again) {
  const one = said.credential;
  document.title = `${one.name} · Credentials`;
  show(place,
    el("nav", { "aria-label": "Back" }, el("a", { href: "./" }, "← All credentials")),
    el("header", { class: "top" }, el("h1", {}, one.name), badge(one.state.level, one.state.word), rotateButton(one, said.may_trigger[one.dag] === true, again)),
    el("p", { class: `notice ${one.state.level}` }, `${sentence(one.state.why)} ${one.by_hand || one.state.word === WAITS ? "" : one.state.next_step}`),
    one.by_hand && byHand(one, said.may_trigger, again),
    one.awaits.length > 0 && handedOn(one, said.may_trigger, again),
    el("div", { class: "columns" }, facts(one, said.now), reading(one)),
    timeline(one, said.now));
}

function facts(one, now) {
  const policy = one.policy_detail;
  const rows = [
    ["Version", el("div", { class: "age" }, ageCell(one))],
    ["Made", one.written ? `${moment(one.written)}, ${fromNow(one.written, now)}` : null],
    ["Next due", one.due ? `${moment(one.due)}, ${fromNow(one.due, now)}` : null],
    ["Must be new by", one.act_by && one.act_by !== one.due ? moment(one.act_by) : null],
    ["Policy", [policy.name, policy.words].filter(Boolean).join(": ")],
    ["Grace", policy.grace ? `${span(policy.grace)}: so long the old value lives on` : null],
    ["Window", policy.window],
    ["Old version", one.is_open ? "still open: retired when grace is over and nobody uses it" : null],
    ["Waits for a person", one.awaits.map((each) => each.who).join(", ")],
    ["Logs in as", (one.principals ?? []).join(", ")],
    ["At", one.by_hand ? null : [one.engine, one.where].filter(Boolean).join(", ")],
    ["Strategy", one.strategy],
    ["Kept in Bitwarden", [one.vault?.project, one.vault?.key].filter(Boolean).join(" / ")],
    ["Owner", one.owner],
    ["Tags", one.tags.join(", ")],
    ["Written in", one.source],
  ];
  return el("section", { "aria-labelledby": "facts" }, el("h2", { id: "facts" }, "What it is"),
    el("dl", {}, rows.filter(([, value]) => value && value.length !== 0).flatMap(([word, value]) => [el("dt", {}, word), el("dd", {}, value)])));
}

function reading(one) {
  const consumers = one.consumers ?? [];
  return el("section", { "aria-labelledby": "readers" }, el("h2", { id: "readers" }, "Who uses it"),
    consumers.length > 0 && el("p", {}, "Asked after each rotation: ", consumers.join(", "), "."),
    one.readers.length === 0
      ? el("p", { class: "quiet" }, "No task is known that has read it.")
      : el("ul", { class: "plain" }, one.readers.slice(0, 50).map(reader)),
    one.readers.length > 50 && el("p", { class: "quiet" }, `And ${one.readers.length - 50} more.`));
}

/** A task with a link to its run, or a process. */
function reader(one) {
  const who = one.dag ? [one.dag, one.task].filter(Boolean).join(", ") : one.user || `${one.program ?? "process"} ${one.pid ?? ""}`;
  const where = [one.version === null ? "" : `version ${one.version}`, one.host, one.last && moment(one.last)].filter(Boolean).join(", ");
  return el("li", {}, one.dag && one.run ? leaving(el("a", {}, who), runPath(one.dag, one.run)) : who, el("span", { class: "why" }, where));
}

function timeline(one, now) {
  return el("section", { "aria-labelledby": "timeline" }, el("h2", { id: "timeline" }, "What became of it"),
    evidence(one),
    one.outcomes.length === 0
      ? el("p", { class: "quiet" }, "No rotation is on record yet, so there is no evidence to download. Quiet runs, which find nothing to do, leave none.")
      : el("ol", { class: "timeline" }, one.outcomes.map((outcome, place) => event(outcome, now, place === 0))));
}

/** What an auditor gets: two files with all of this, longer back; none where there is nothing. */
function evidence(one) {
  if (one.outcomes.length === 0) return null;
  const file = (kind, words) => el("a", { href: `data/evidence?name=${encodeURIComponent(one.name)}&kind=${kind}`, download: true }, words);
  return el("p", { class: "evidence" }, "Evidence for an auditor: ", file("html", "page that prints"), ", ", file("json", "JSON"), ".");
}

function event(outcome, now, open) {
  const asked = outcome.asked;
  const took = outcome.steps.reduce((sum, step) => sum + step.ms, 0);
  const path = logPath(asked);
  return el("li", { class: outcome.level }, el("details", { open },
    el("summary", {}, badge(outcome.level, outcome.outcome),
      outcome.version === null ? "" : ` version ${outcome.version}`,
      el("time", { datetime: outcome.at, title: moment(outcome.at) }, fromNow(outcome.at, now)),
      took > 0 && el("span", { class: "quiet" }, brief(took))),
    el("p", {}, sentence(outcome.reason ?? ""), outcome.next_step ? ` Next: ${outcome.next_step}` : ""),
    el("p", { class: "quiet" }, `${moment(outcome.at)}, asked for by ${asked.by ?? "somebody"}${asked.compromise ? " in compromise mode" : ""}${asked.why ? `: “${asked.why}”` : ""}${asked.approved_by ? `, approved by ${asked.approved_by}` : ""}. `,
      path && leaving(el("a", {}, "Log in Airflow"), path)),
    proofs(outcome),
    outcome.steps.length > 0 && steps(outcome.steps, took)));
}

const ANSWERS = { works: "works", refused: "is refused", unknown: "could not be asked" };

function proofs(outcome) {
  const told = [["new value", outcome.new_value, "works"], ["old value", outcome.old_value, "refused"]];
  const known = told.filter(([, answer]) => answer);
  return known.length > 0 && el("p", { class: "proofs" }, known.map(([words, answer, wanted]) =>
    badge(answer === wanted ? "good" : "warn", `${words} ${ANSWERS[answer] ?? answer}`)));
}

/** Each step under the one before, its bar as long as it took. */
function steps(list, took) {
  let begun = 0;
  return el("table", { class: "steps" },
    el("thead", {}, el("tr", {}, ["Step", "Took", "Proof"].map((head) => el("th", { scope: "col" }, head)), el("th", { scope: "col", class: "when" }, "When"))),
    el("tbody", {}, list.map((step) => {
      const bar = el("span", { class: "fill good" });
      bar.style.marginLeft = `${took ? (begun / took) * 100 : 0}%`;
      bar.style.width = `${took ? Math.max((step.ms / took) * 100, 1) : 1}%`;
      begun += step.ms;
      return el("tr", {}, el("td", {}, step.step), el("td", { class: "took" }, brief(step.ms)), el("td", {}, step.detail ?? ""),
        el("td", { class: "when" }, el("span", { class: "bar", "aria-hidden": "true" }, bar)));
    })));
}
