// Pictures over the list, by Chart.js; it is loaded when they are about to be seen, after the table.
// Each picture says in words what it shows, and has its figures as a table for those who do not see it.

import { el } from "./dom.js";
import { isDark, onTheme } from "./theme.js";

let loading = null;

function chartLibrary() {
  loading ??= new Promise((done, failed) => {
    const script = el("script", { src: "static/vendor/chart.umd.min.js", onload: () => done(globalThis.Chart), onerror: failed });
    document.head.append(script);
  });
  return loading;
}

export function listCharts(said) {
  const old = said.ages.at(-1).count;
  const measured = said.ages.reduce((sum, one) => sum + one.count, 0);
  const rotated = said.days.reduce((sum, one) => sum + one.rotated, 0);
  const failed = said.days.reduce((sum, one) => sum + one.failed, 0);
  return el("section", { class: "pictures", "aria-label": "Pictures" },
    picture("Age against policy", `${old} of ${measured} are older than their policy promises.`,
      ["age, of what the policy allows", "credentials"], said.ages.map((one) => [one.share, one.count]), (colours) => ({
        labels: said.ages.map((one) => one.share),
        datasets: [{ label: "credentials", data: said.ages.map((one) => one.count), backgroundColor: [colours.good, colours.good, colours.good, colours.warn, colours.bad] }],
      })),
    picture("New versions and failures, 90 days", `${rotated} new versions, ${failed} failed attempts.`,
      ["day", "new versions", "failures"], said.days.filter((one) => one.rotated || one.failed).map((one) => [one.day, one.rotated, one.failed]), (colours) => ({
        labels: said.days.map((one) => one.day.slice(5)),
        datasets: [
          { label: "new versions", data: said.days.map((one) => one.rotated), backgroundColor: colours.good, stack: "day" },
          { label: "failures", data: said.days.map((one) => one.failed), backgroundColor: colours.bad, stack: "day" },
        ],
      })));
}

function picture(title, words, heads, rows, figures) {
  const canvas = el("canvas", { role: "img", "aria-label": `${title}: ${words}` });
  const made = el("figure", { class: "picture" }, el("figcaption", {}, el("h2", {}, title), el("p", { class: "quiet" }, words)),
    el("div", { class: "canvas" }, canvas),
    el("details", {}, el("summary", {}, "As figures"), el("table", {},
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell) => el("td", {}, String(cell)))))))));
  const seen = new IntersectionObserver(async (entries) => {
    if (!entries.some((one) => one.isIntersecting)) return;
    seen.disconnect();
    const Chart = await chartLibrary();
    let chart = drawn(Chart, canvas, figures);
    canvas.dataset.drawn = "true";
    onTheme(() => {
      chart.destroy();
      chart = drawn(Chart, canvas, figures);
    });
  });
  seen.observe(canvas);
  return made;
}

function drawn(Chart, canvas, figures) {
  const style = getComputedStyle(document.documentElement);
  const colours = Object.fromEntries(["good", "warn", "bad", "line", "quiet"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  const data = figures(colours);
  const axis = { grid: { color: colours.line }, ticks: { color: colours.quiet, maxRotation: 0, autoSkipPadding: 16 } };
  return new Chart(canvas, {
    type: "bar",
    data,
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      plugins: { legend: { display: data.datasets.length > 1, position: "bottom", labels: { color: colours.quiet, boxWidth: 12 } } },
      scales: { x: { ...axis, grid: { display: false }, stacked: true }, y: { ...axis, beginAtZero: true, stacked: true, ticks: { ...axis.ticks, precision: 0 } } },
      color: isDark() ? "#e5e7eb" : "#1f2733",
    },
  });
}
