// Makes elements. Text goes in as text: nothing that a name or a message says can become markup.

/** `el("p", { class: "x", onclick: f }, "text", child)`; null and false are left out. */
export function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat().filter((one) => one !== null && one !== undefined && one !== false));
  return made;
}

export function show(place, ...children) {
  place.replaceChildren(...children.flat().filter(Boolean));
}

const SIGNS = { good: "✓", warn: "!", bad: "✕", idle: "–" };

/** A state as sign, colour and word. */
export function badge(level, word) {
  return el("span", { class: `badge ${level}` }, el("span", { "aria-hidden": "true" }, SIGNS[level] ?? "–"), ` ${word}`);
}
