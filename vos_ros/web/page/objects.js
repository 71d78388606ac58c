// Copyright 2026 The vos_ros authors
// SPDX-License-Identifier: Apache-2.0

// The list of followed objects and the numbers beside it. Rows stay where they are, so that what
// has the focus keeps it.

const $ = (id) => document.getElementById(id);

export function nameOf(item) {
  return item.name || `object ${item.id}`;
}

export function showObjects(objects, onRemove) {
  const list = $("objects");
  const rows = new Map([...list.children].map((row) => [Number(row.dataset.id), row]));
  for (const item of objects) {
    const row = rows.get(item.id) ?? newRow(item.id, onRemove);
    rows.delete(item.id);
    fill(row, item);
    if (!row.isConnected) {
      const after = [...list.children].find((other) => Number(other.dataset.id) > item.id);
      list.insertBefore(row, after ?? null);
    }
  }
  for (const row of rows.values()) row.remove();
  $("none").hidden = objects.length > 0;
  $("reset").hidden = objects.length === 0;
}

function newRow(id, onRemove) {
  const row = document.createElement("li");
  row.dataset.id = id;
  const picture = Object.assign(document.createElement("img"), { className: "thumb", alt: "" });
  const words = document.createElement("div");
  words.append(
    Object.assign(document.createElement("div"), { className: "name" }),
    Object.assign(document.createElement("div"), { className: "how" }),
  );
  const button = Object.assign(document.createElement("button"), { textContent: "Remove" });
  button.addEventListener("click", () => onRemove(id));
  row.append(picture, words, button);
  return row;
}

function fill(row, item) {
  row.classList.toggle("absent", !item.present);
  row.classList.toggle("doubtful", item.doubtful);
  row.style.setProperty("--colour", item.colour);
  set(row.querySelector(".name"), nameOf(item));
  const sight = item.present ? "in sight" : "out of sight";
  const where = item.doubtful ? "may be something else" : sight;
  set(row.querySelector(".how"), `id ${item.id} · ${where} · ${item.score.toFixed(2)}`);
  row.querySelector("button").setAttribute("aria-label", `Remove ${nameOf(item)}`);
  const picture = row.querySelector("img");
  const source = item.thumbnail === null ? "" : `/objects/${item.id}.jpg?${item.thumbnail}`;
  if (source && picture.getAttribute("src") !== source) picture.src = source;
}

export function showTargets(objects) {
  // Which object is drawn: a new one, or one that is followed and corrected. The new one's id is
  // chosen when it is asked for: the list may change while somebody draws.
  const select = $("target");
  const free = freeId(objects);
  const choices = objects.map((item) => [String(item.id), `correct ${nameOf(item)}`]);
  if (free) choices.unshift(["new", `new (${free})`]);
  const wanted = JSON.stringify(choices);
  if (select.dataset.choices === wanted) return;
  const chosen = select.value;
  select.dataset.choices = wanted;
  select.replaceChildren(...choices.map(([value, text]) => new Option(text, value)));
  if (choices.some(([value]) => value === chosen)) select.value = chosen;
}

export function targetId(objects) {
  const { value } = $("target");
  return value === "new" ? freeId(objects) : Number(value);
}

function freeId(objects) {
  const used = new Set(objects.map((item) => item.id));
  return Array.from({ length: 255 }, (_, i) => i + 1).find((id) => !used.has(id));
}

export function showNumbers(status) {
  const rate = (value) => (value > 0 ? `${value.toFixed(1)} Hz` : "none");
  set($("image-rate"), rate(status.image_rate));
  set($("mask-rate"), rate(status.mask_rate));
  set($("latency"), status.latency === null ? "–" : `${Math.round(status.latency * 1000)} ms`);
  set($("dropped"), status.dropped === null ? "–" : `${status.dropped}`);
  const list = $("problems");
  const before = [...list.children].map((row) => row.textContent).join("\n");
  if (before !== status.problems.join("\n")) {
    list.replaceChildren(
      ...status.problems.map((text) => Object.assign(document.createElement("li"), { textContent: text })),
    );
  }
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
