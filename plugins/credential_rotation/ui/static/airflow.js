// Ways to Airflow: its API with the browser's own login, and links out of the frame.
// Addresses are relative to the page's, so that a base path does not matter.

const ROOT = new URL("../", document.baseURI.split(/[?#]/)[0]);

export class Refused extends Error {
  constructor(status, said) {
    super(said);
    this.status = status;
  }
}

/** JSON from an address below Airflow's own. Throws Refused with the server's words. */
export async function ask(path, { method = "GET", body } = {}) {
  const sent = { method, credentials: "same-origin", headers: { Accept: "application/json" } };
  if (body !== undefined) {
    sent.body = JSON.stringify(body);
    sent.headers["Content-Type"] = "application/json";
  }
  const answer = await fetch(new URL(path, ROOT), sent);
  const said = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(answer.status, words(said) || answer.statusText);
  return said;
}

function words(said) {
  const detail = said?.detail;
  return typeof detail === "string" ? detail : detail ? JSON.stringify(detail).slice(0, 500) : "";
}

export const dagPath = (dag) => `dags/${encodeURIComponent(dag)}`;
export const runPath = (dag, run) => `${dagPath(dag)}/runs/${encodeURIComponent(run)}`;

/** The log of the task that an outcome is of. */
export function logPath(asked) {
  if (!asked?.dag_id || !asked.run_id || !asked.task_id) return null;
  const mapped = asked.map_index >= 0 ? `/mapped/${asked.map_index}` : "";
  const task = `${runPath(asked.dag_id, asked.run_id)}/tasks/${encodeURIComponent(asked.task_id)}`;
  return `${task}${mapped}?try_number=${asked.try_number || 1}`;
}

/** Makes an anchor leave the frame: the sandbox lets only a link of the parent's own do that. */
export function leaving(anchor, path) {
  anchor.href = new URL(path, ROOT);
  anchor.addEventListener("click", (event) => {
    if (window.parent === window || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const outside = window.parent.document.createElement("a");
    outside.href = anchor.href;
    window.parent.document.body.append(outside);
    outside.click();
    outside.remove();
  });
  return anchor;
}
