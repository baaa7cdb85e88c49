// The table: search, filters and sorting by TanStack Table, drawn as a plain HTML table.

import { badge, el, show } from "./dom.js";
import { fromNow, moment, span } from "./times.js";

const { createTable, getCoreRowModel, getFilteredRowModel, getPaginationRowModel, getSortedRowModel } = globalThis.TableCore;
const KEPT = "credential_rotation.table";
const WORST = { bad: 0, warn: 1, idle: 3, good: 2 };
const PAGE = 25;
const equals = (row, id, wanted) => wanted === "" || row.getValue(id) === wanted;

const COLUMNS = [
  { id: "name", head: "Credential", accessorFn: (one) => one.name, cell: nameCell },
  { id: "state", head: "State", accessorFn: (one) => one.state.level, sortingFn: byWorst, cell: stateCell, filterFn: equals },
  { id: "age", head: "Age against policy", accessorFn: (one) => one.share ?? -1, cell: ageCell },
  { id: "due", head: "Next due", accessorFn: (one) => one.due ?? "9", cell: dueCell },
  { id: "last", head: "Last result", accessorFn: (one) => one.last?.at ?? "", cell: lastCell },
  { id: "engine", head: "Where", accessorFn: (one) => one.engine, cell: whereCell, filterFn: equals },
  { id: "readers", head: "Used by", accessorFn: (one) => one.readers.length, cell: readersCell },
  { id: "owner", head: "Owner", accessorFn: (one) => one.owner ?? "", cell: (one) => one.owner ?? "", filterFn: equals },
  { id: "tags", head: "Tags", accessorFn: (one) => one.tags, hidden: true, filterFn: (row, id, wanted) => wanted === "" || row.getValue(id).includes(wanted) },
];
const SHOWN = COLUMNS.filter((column) => !column.hidden);

export function credentialTable(said) {
  const body = el("tbody");
  const heads = el("tr");
  const count = el("p", { class: "quiet", role: "status" });
  const pager = el("nav", { class: "pager", "aria-label": "Pages" });
  const controls = new Map();
  let state = { sorting: [{ id: "state", desc: false }], columnFilters: [], globalFilter: "", pagination: { pageIndex: 0, pageSize: PAGE }, ...kept() };

  const table = createTable({
    data: said.credentials,
    columns: COLUMNS,
    renderFallbackValue: null,
    state: {},
    onStateChange: () => {},
    getRowId: (one) => one.name,
    getCoreRowModel: getCoreRowModel(),
    getFilteredRowModel: getFilteredRowModel(),
    getSortedRowModel: getSortedRowModel(),
    getPaginationRowModel: getPaginationRowModel(),
    getColumnCanGlobalFilter: (column) => column.id === "name",
    globalFilterFn: (row, _, wanted) => searched(row.original).includes(wanted.toLowerCase()),
    enableSortingRemoval: false,
    autoResetPageIndex: false,
  });
  const initial = table.initialState;
  function change(updater) {
    state = typeof updater === "function" ? updater(state) : updater;
    keep(state);
    draw();
  }
  function draw() {
    table.setOptions((before) => ({ ...before, state: { ...initial, ...state }, onStateChange: change }));
    show(heads, SHOWN.map((column) => headCell(table.getColumn(column.id), column.head)));
    show(body, table.getRowModel().rows.map((row) => drawn(row.original, said.now)));
    const found = table.getFilteredRowModel().rows.length;
    count.textContent = found === said.credentials.length ? `${found} credentials` : `${found} of ${said.credentials.length} credentials`;
    show(pager, pages(table));
    for (const [id, control] of controls) control.value = valueOf(state, id);
    for (const tile of document.querySelectorAll(".tile")) {
      tile.setAttribute("aria-pressed", String(tile.dataset.level === valueOf(state, "state")));
    }
  }
  function filter(id, value) {
    const others = state.columnFilters.filter((one) => one.id !== id);
    change({ ...state, columnFilters: value === "" ? others : [...others, { id, value }], pagination: { ...state.pagination, pageIndex: 0 } });
  }
  const search = el("input", { type: "search", id: "search", placeholder: "name, owner, host, tag …", oninput: (event) =>
    change({ ...state, globalFilter: event.target.value, pagination: { ...state.pagination, pageIndex: 0 } }) });
  search.value = state.globalFilter;
  const bar = el("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() },
    labelled("Search", search),
    choices("state", "State", [["bad", "Needs a person"], ["warn", "Goes on by itself"], ["good", "Fine"], ["idle", "When asked, paused"]]),
    choices("engine", "Engine", unique(said.credentials.map((one) => one.engine))),
    choices("owner", "Owner", unique(said.credentials.map((one) => one.owner ?? ""))),
    choices("tags", "Tag", unique(said.credentials.flatMap((one) => one.tags))),
    count);
  function choices(id, word, values) {
    const select = el("select", { id: `filter-${id}`, onchange: (event) => filter(id, event.target.value) },
      el("option", { value: "" }, "all"), values.map(([value, words]) => el("option", { value }, words)));
    controls.set(id, select);
    return values.length > 1 || valueOf(state, id) ? labelled(word, select) : null;
  }
  const element = el("section", { class: "list", "aria-label": "All credentials" }, bar,
    el("div", { class: "scroll" }, el("table", {}, el("thead", {}, heads), body)), pager);
  queueMicrotask(() => {
    draw();
    performance.mark("usable");
  });
  return { element, only: (level) => filter("state", valueOf(state, "state") === level ? "" : level) };
}

function headCell(column, words) {
  const sorted = column.getIsSorted();
  const sign = { asc: " ▲", desc: " ▼" }[sorted] ?? "";
  return el("th", { scope: "col", "aria-sort": { asc: "ascending", desc: "descending" }[sorted] ?? "none" },
    el("button", { type: "button", class: "sort", onclick: () => column.toggleSorting(sorted === "asc") },
      words, el("span", { "aria-hidden": "true" }, sign)));
}

function drawn(one, now) {
  return el("tr", { class: one.state.level }, SHOWN.map((column) =>
    el("td", { "data-head": column.head, class: column.id }, column.cell(one, now))));
}

function nameCell(one) {
  return [el("a", { href: `?credential=${encodeURIComponent(one.name)}` }, one.name),
    one.tags.length > 0 && el("span", { class: "tags" }, one.tags.map((tag) => el("span", { class: "tag" }, tag)))];
}

function stateCell(one) {
  return [badge(one.state.level, one.state.word), one.state.level !== "good" && el("span", { class: "why" }, one.state.why)];
}

/** A bar from new to too old, and the same in words. */
export function ageCell(one) {
  const version = one.version ? `version ${one.version}, ` : "";
  if (one.age === null) return el("span", { class: "quiet" }, one.version !== null ? "age not known" : one.may_be?.length ? `version ${one.may_be.join(" or ")}` : "no version yet");
  const words = `${version}${span(one.age)}`;
  if (one.share === null) return [words, el("span", { class: "why" }, one.policy)];
  const share = Math.min(one.share, 1);
  const fill = el("span", { class: `fill ${one.share >= 1 ? "bad" : one.share > 0.85 ? "warn" : "good"}` });
  fill.style.width = `${Math.max(share * 100, 2)}%`;
  return [el("span", { class: "bar", "aria-hidden": "true" }, fill),
    el("span", {}, words), el("span", { class: "why" }, `${Math.round(one.share * 100)} % of ${one.policy.replace("every ", "")}`)];
}

function dueCell(one, now) {
  if (!one.due) return el("span", { class: "quiet" }, one.policy || "not known");
  return el("time", { datetime: one.due, title: moment(one.due) }, `${one.due < now ? "was due " : ""}${fromNow(one.due, now)}`);
}

function lastCell(one, now) {
  if (!one.last) return el("span", { class: "quiet" }, "none in 90 days");
  return [badge(one.last.level, one.last.outcome), el("time", { class: "why", datetime: one.last.at, title: moment(one.last.at) }, fromNow(one.last.at, now))];
}

function whereCell(one) {
  return [one.engine, el("span", { class: "why", title: one.where }, one.where)];
}

function readersCell(one) {
  const dags = [...new Set(one.readers.map((reader) => reader.dag).filter(Boolean))];
  if (one.readers.length === 0) return el("span", { class: "quiet" }, "nobody known");
  return [dags.slice(0, 2).join(", ") || `${one.readers.length} processes`, dags.length > 2 && el("span", { class: "why" }, `and ${dags.length - 2} more`)];
}

function pages(table) {
  const last = table.getPageCount();
  if (last < 2) return [];
  const here = table.getState().pagination.pageIndex;
  return [el("button", { type: "button", disabled: !table.getCanPreviousPage(), onclick: () => table.previousPage() }, "Previous"),
    el("span", {}, `page ${here + 1} of ${last}`),
    el("button", { type: "button", disabled: !table.getCanNextPage(), onclick: () => table.nextPage() }, "Next")];
}

function labelled(words, control) {
  return el("label", {}, el("span", {}, words), control);
}

function unique(values) {
  return [...new Set(values)].filter(Boolean).sort().map((value) => [value, value]);
}

function valueOf(state, id) {
  return state.columnFilters.find((one) => one.id === id)?.value ?? "";
}

function byWorst(a, b) {
  return WORST[a.original.state.level] - WORST[b.original.state.level] || a.original.name.localeCompare(b.original.name);
}

function searched(one) {
  return [one.name, one.owner, one.where, one.engine, one.state.word, ...one.tags].join(" ").toLowerCase();
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

function keep({ sorting, columnFilters, globalFilter }) {
  sessionStorage.setItem(KEPT, JSON.stringify({ sorting, columnFilters, globalFilter }));
}
