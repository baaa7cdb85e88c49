// Moments and spans as people say them.

const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** "3 days ago", "in 2 months". */
export function fromNow(iso, now) {
  if (!iso) return "";
  const seconds = (new Date(iso) - new Date(now)) / 1000;
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= 2 * size || (unit === "minute" && Math.abs(seconds) >= size)) {
      return relative.format(Math.trunc(seconds / size), unit);
    }
  }
  return seconds < 0 ? "just now" : "in a moment";
}

/** "2026-11-25 12:00 UTC". */
export function moment(iso) {
  return iso ? `${new Date(iso).toISOString().slice(0, 16).replace("T", " ")} UTC` : "";
}

/** "34 days", from seconds. */
export function span(seconds) {
  for (const [unit, size] of UNITS.slice(2)) {
    const count = Math.floor(seconds / size);
    if (count >= 2 || (unit === "minute" && count >= 1)) return `${count} ${unit}${count === 1 ? "" : "s"}`;
  }
  return "under a minute";
}

/** "120 ms", "3.4 s". */
export function brief(ms) {
  if (ms < 1000) return `${ms} ms`;
  return ms < 120000 ? `${(ms / 1000).toFixed(1)} s` : span(ms / 1000);
}

/** A reason with its full stop, and a capital letter unless it begins with a name. */
export function sentence(text) {
  if (!text) return "";
  const whole = /^[a-z]+[ ,:]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
