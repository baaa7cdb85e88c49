// A run of a DAG with this browser's login: made through Airflow's API, followed to its end, and what came of it.

import { ask, dagPath, leaving, Refused, runPath } from "./airflow.js";
import { badge, el, show } from "./dom.js";

const POLL = 1000;

/** Makes the run, and tells where it is. Throws where the DAG is paused; `instead` is said then. */
export async function begin(dag, conf, note, instead) {
  const { is_paused: paused } = await ask(`api/v2/${dagPath(dag)}`);
  if (paused) throw new Error(`${dag} is paused: a run would stay queued and do nothing. Unpause it first${instead}.`);
  const path = `api/v2/${dagPath(dag)}/dagRuns`;
  const made = await ask(path, { method: "POST", body: { logical_date: null, conf, note } });
  const link = leaving(el("a", {}, "the run in Airflow"), runPath(dag, made.dag_run_id));
  return { here: `${path}/${encodeURIComponent(made.dag_run_id)}`, link, state: made.state };
}

/** The state in which a run, or one task of it, ended; meanwhile `told` tells how it goes. */
export async function follow({ here, link, state }, told) {
  const began = Date.now();
  while (!["success", "failed", "skipped"].includes(state)) {
    const seconds = Math.round((Date.now() - began) / 1000);
    show(told, el("p", { class: "busy" }, `${state === "queued" ? "Waiting for a free worker" : "Running"}, ${seconds} s: `, link));
    await new Promise((done) => { setTimeout(done, POLL); });
    ({ state } = await ask(here));
  }
  return state;
}

/** What a task of the run left under a key; null where it left nothing. */
export async function left({ here }, task, key, place = "") {
  return ask(`${here}/taskInstances/${encodeURIComponent(task)}/xcomEntries/${key}${place}`).then((found) => found.value).catch(() => null);
}

export function ended({ link }, state, outcome, trouble) {
  const level = state === "success" ? "good" : "bad";
  const words = outcome ? `${outcome.reason}. ${outcome.next_step ?? ""}` : trouble ?? (state === "success" ? "Done." : "The run failed; its log says why.");
  return el("div", { class: `notice ${level}`, id: "ended" }, badge(level, outcome?.outcome ?? state), el("p", {}, words), el("p", {}, "See ", link, "."));
}

/** Why it did not come to a run, in a person's words. */
export function refusal(wrong, dag) {
  return el("p", { class: "notice bad refusal" }, wrong instanceof Refused && wrong.status === 403
    ? `You may look, but not trigger ${dag}. Ask for that permission, or somebody who has it.`
    : wrong.message);
}

/** A refusal is no word on what is asked for now. */
export function changed(told) {
  told.querySelector(".refusal")?.remove();
}
