// All credentials: what needs a person first, then pictures, filters and the table.

import { badge, el, show } from "./dom.js";
import { listCharts } from "./charts.js";
import { leaving, dagPath } from "./airflow.js";
import { credentialTable } from "./table.js";
import { fromNow, moment, sentence } from "./times.js";

const LEVELS = [["bad", "need a person"], ["warn", "will go on by itself"], ["good", "fine"], ["idle", "only when asked, or paused"]];

export function listView(place, said) {
  if (said.unavailable) return show(place, heading(), unavailable(said));
  if (said.as_of === null) return show(place, heading(), empty(said));
  const table = credentialTable(said);
  show(place,
    heading(el("p", { class: "quiet" }, `as of ${fromNow(said.as_of, said.now)}`)),
    said.stale && stale(said),
    said.problems.length > 0 && mistakes(said.problems),
    people(said.credentials),
    summary(said.credentials, table.only),
    table.element,
    listCharts(said));
}

function heading(...more) {
  return el("header", { class: "top" }, el("h1", {}, "Credentials"), ...more);
}

function summary(credentials, only) {
  const counts = Object.groupBy ? Object.groupBy(credentials, (one) => one.state.level) : group(credentials);
  return el("div", { class: "tiles", role: "group", "aria-label": "How they stand" },
    LEVELS.map(([level, words]) => {
      const count = counts[level]?.length ?? 0;
      return el("button", { type: "button", class: `tile ${level}`, "data-level": level, onclick: () => only(level) },
        el("strong", {}, String(count)), el("span", {}, words));
    }));
}

function group(credentials) {
  const found = {};
  for (const one of credentials) (found[one.state.level] ??= []).push(one);
  return found;
}

/** What waits for somebody, in words; at most five, the table has the rest. */
function people(credentials) {
  const waiting = credentials.filter((one) => one.state.needs_person);
  if (waiting.length === 0) return null;
  const shown = waiting.slice(0, 5);
  return el("section", { class: "notice bad", "aria-labelledby": "people" },
    el("h2", { id: "people" }, waiting.length === 1 ? "1 credential needs a person" : `${waiting.length} credentials need a person`),
    el("ul", { class: "people" }, shown.map((one) => el("li", {},
      el("a", { href: `?credential=${encodeURIComponent(one.name)}` }, one.name), " ", badge(one.state.level, one.state.word),
      el("p", {}, `${sentence(one.state.why)} ${one.state.next_step} `,
        one.state.path && leaving(el("a", {}, "Open the question"), one.state.path))))),
    waiting.length > shown.length && el("p", {}, `And ${waiting.length - shown.length} more in the table.`));
}

function mistakes(problems) {
  return el("section", { class: "notice warn" },
    el("h2", {}, problems.length === 1 ? "1 entry cannot be used" : `${problems.length} entries cannot be used`),
    el("ul", {}, problems.slice(0, 20).map((one) => el("li", {}, one))));
}

function stale(said) {
  return el("p", { class: "notice warn" },
    `This is how it was on ${moment(said.as_of)}. No hourly run has told anything since: is `,
    leaving(el("a", {}, "retire_credentials"), dagPath("retire_credentials")), " paused, or the scheduler down?");
}

function unavailable(said) {
  return el("section", { class: "notice bad", role: "alert" }, el("h2", {}, "The state folder cannot be read"),
    el("p", {}, `${said.unavailable}.`),
    el("p", {}, "Rotations go on without it; only this page has nothing to show. ROTATION_STATE_PATH must name a place ",
      "that the api-server can read and the workers can write."));
}

function empty(said) {
  const dag = (name) => leaving(el("a", {}, name), dagPath(name));
  return el("section", { class: "notice idle" }, el("h2", {}, "Nothing to show yet"),
    el("ol", {},
      el("li", {}, "Describe a credential in ", el("code", {}, "include/credentials/"), "; the example there has all that can be said."),
      el("li", {}, "Run ", el("code", {}, "python -m credential_rotation check"), ": it tells every mistake and changes nothing."),
      el("li", {}, "Unpause ", dag("rotate_database_credentials"), " and ", dag("rotate_cloud_credentials"), "."),
      el("li", {}, "This page fills with the first hourly run; to see it now, trigger ", dag("retire_credentials"), ".")),
    el("p", { class: "quiet" }, "Read from ", el("code", {}, said.folder), ". If runs were there already, this is not the folder that the workers write: ",
      "with several hosts, ROTATION_STATE_PATH must name one that all share."));
}
