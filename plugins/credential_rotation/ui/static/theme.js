// Airflow's own choice of light or dark, which the page's frame does not get by itself.

const own = document.documentElement;

function airflow() {
  try {
    return window.parent === window ? null : window.parent.document.documentElement;
  } catch {
    return null; // framed by somebody else
  }
}

export function isDark() {
  return own.classList.contains("dark");
}

/** Calls back whenever the colours change. */
export function onTheme(changed) {
  new MutationObserver(changed).observe(own, { attributes: true, attributeFilter: ["class"] });
}

function follow(root) {
  const asks = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const dark = root ? root.classList.contains("dark") : asks;
  own.classList.toggle("dark", dark);
  own.classList.toggle("light", !dark);
}

const root = airflow();
follow(root);
if (root) new MutationObserver(() => follow(root)).observe(root, { attributes: true, attributeFilter: ["class"] });
