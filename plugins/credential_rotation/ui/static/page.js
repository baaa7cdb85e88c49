// Which view the address asks for: the list, or one credential (`?credential=NAME`).

import { ask, Refused } from "./airflow.js";
import { detailView } from "./detail.js";
import { el, show } from "./dom.js";
import { listView } from "./list.js";

const place = document.getElementById("page");

export async function draw() {
  const name = new URLSearchParams(location.search).get("credential");
  try {
    if (name === null) {
      listView(place, await ask("credential_rotation/data/credentials"));
    } else {
      const said = await ask(`credential_rotation/data/credential?name=${encodeURIComponent(name)}`);
      detailView(place, said, draw);
    }
  } catch (wrong) {
    show(place, trouble(wrong));
  }
  place.setAttribute("aria-busy", "false");
}

function trouble(wrong) {
  const status = wrong instanceof Refused ? wrong.status : 0;
  const next = { 401: "Log in to Airflow again, then reload.", 403: "Ask an admin of this Airflow for access to plugins." };
  return el("section", { class: "notice bad", role: "alert" },
    el("h1", {}, "This cannot be shown"),
    el("p", {}, `${wrong.message}. ${next[status] ?? "Reload to try again."}`),
    el("p", {}, el("a", { href: "./" }, "All credentials")));
}

draw();
