// Copyright 2026 The vos_ros authors
// SPDX-License-Identifier: Apache-2.0

import { Drawing } from "/drawing.js";
import { Live } from "/live.js";
import { nameOf, showNumbers, showObjects, showTargets, targetId } from "/objects.js";

const $ = (id) => document.getElementById(id);
const canvas = $("canvas");
const STALE = 2; // s without an image
const HINTS = {
  live: ["Click the image to freeze it and point something out.", ""],
  box: ["Draw a box around the whole object; what stands out in it is marked.", "Keys: arrows move (with Shift, finely), Space begins and ends the box."],
  scribble: ["Draw a line along the inside of the object; with “remove”, along what is not of it.", "Keys: arrows move, Space begins and ends the line."],
  polygon: ["Set corner after corner around the object; the first one again closes it.", "Keys: arrows move, Space sets a corner, Enter closes."],
};
let shown = 0; // number of the picture on the canvas
let frame = null; // number of the frozen frame
let pixels = 0; // of the mask
let asked = 0; // masks asked for
let objects = [];

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (response.ok) return response;
  throw new Error((await response.json()).message);
}

function say(text, kind = "") {
  $("message").textContent = text;
  $("message").className = `message ${kind}`;
}

function hint(what) {
  [$("hint").textContent, $("keys").textContent] = HINTS[what];
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    say(error instanceof TypeError ? "The server does not answer." : error.message, "bad");
  }
}

async function order(path, body) {
  const answer = await (await post(path, body)).json();
  say(answer.message, answer.success ? "good" : "bad");
  return answer.success;
}

// Live --------------------------------------------------------------------------------------------

const live = new Live({
  onPicture(serial, bitmap) {
    shown = serial;
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    }
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    $("blank").hidden = true;
    $("freeze").disabled = false;
  },
  onStatus(status) {
    objects = status.objects;
    showObjects(objects, (id) => attempt(() => order("/remove", { id })));
    showNumbers(status);
    showTargets(objects);
    const stale = status.image_age === null || status.image_age > STALE;
    $("badge").classList.toggle("stale", stale);
    if (frame === null) $("badge").textContent = stale ? "no image" : "live";
    $("state").classList.toggle("bad", !status.node_there || stale);
    const image = stale ? `no images on ${status.topic}` : `images from ${status.topic}`;
    $("state").textContent = status.node_there ? `${status.node}, ${image}` : `There is no node ${status.node}; ${image}`;
    $("blank").textContent = `No image on ${status.topic} yet`;
  },
  onConnected(yes) {
    $("state").classList.toggle("bad", !yes);
    $("state").textContent = yes ? "Connected" : "The server does not answer; trying again …";
  },
});

async function freeze() {
  if (frame !== null || !shown) return;
  const answer = await (await post("/frames", { serial: shown })).json();
  const picture = await (await fetch(`/frames/${answer.frame}.jpg`)).blob();
  const image = await createImageBitmap(picture);
  frame = answer.frame;
  live.pause(true);
  document.body.dataset.mode = "draw";
  $("badge").textContent = "frozen";
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", "Frozen image, to draw on");
  $("name").value = "";
  $("target").selectedIndex = 0;
  pixels = 0;
  drawing.start(image);
  choose();
  showButtons();
  say("");
  canvas.focus({ preventScroll: true });
}

function goLive() {
  frame = null;
  drawing.stop();
  live.pause(false);
  document.body.dataset.mode = "live";
  $("badge").textContent = "live";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "Live image of the camera");
  hint("live");
  $("busy").hidden = true;
}

// Drawing -----------------------------------------------------------------------------------------

const drawing = new Drawing(canvas, {
  onChange: (strokes) => (strokes ? attempt(showMask) : showButtons()),
  say: (text) => say(text),
});

const checked = (name) => document.querySelector(`input[name=${name}]:checked`).value;

function choose() {
  drawing.use(checked("tool"), checked("sign") === "add");
  hint(drawing.tool);
  showButtons();
}

function showButtons() {
  const some = frame !== null && (drawing.strokes.length > 0 || drawing.unfinished);
  $("undo").disabled = $("clear").disabled = !some;
  $("close").hidden = !(drawing.tool === "polygon" && drawing.points?.length >= 3);
  $("follow").disabled = frame === null || pixels === 0;
}

async function showMask() {
  const number = (asked += 1);
  const of = frame;
  $("busy").hidden = false;
  showButtons();
  try {
    const body = { strokes: drawing.strokes, id: targetId(objects) };
    const response = await post(`/frames/${of}/mask`, body);
    const mask = await createImageBitmap(await response.blob());
    if (number !== asked || frame !== of) return; // something newer is drawn already
    pixels = Number(response.headers.get("X-Mask-Pixels"));
    drawing.show(mask);
    if (pixels) say(`${pixels} pixels are marked.`);
    else say(drawing.strokes.length ? "Nothing stands out there. Try a scribble or a polygon." : "");
  } finally {
    if (number === asked) $("busy").hidden = true;
    showButtons();
  }
}

async function follow() {
  if (frame === null || pixels === 0) return;
  const body = { strokes: drawing.strokes, id: targetId(objects), name: $("name").value };
  $("follow").disabled = true;
  say("Asking the node …");
  try {
    if (await order(`/frames/${frame}/follow`, body)) goLive();
  } finally {
    showButtons();
  }
}

// Buttons and keys --------------------------------------------------------------------------------

$("freeze").addEventListener("click", () => attempt(freeze));
canvas.addEventListener("click", () => attempt(freeze));
$("back").addEventListener("click", goLive);
$("undo").addEventListener("click", () => drawing.undo());
$("clear").addEventListener("click", () => drawing.clear());
$("close").addEventListener("click", () => drawing.closePolygon());
$("order").addEventListener("change", (event) => {
  if (event.target.type === "radio") choose();
  if (event.target === $("target")) {
    const item = objects.find((one) => one.id === targetId(objects));
    $("name").value = item ? item.name : "";
    attempt(showMask);
  }
});
$("order").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(follow);
});
$("reset").addEventListener("click", () => {
  if (confirm(`Forget ${objects.map(nameOf).join(", ")}?`)) attempt(() => order("/reset", {}));
});
$("targets").addEventListener("submit", (event) => {
  event.preventDefault();
  const path = event.submitter?.value === "load" ? "/load" : "/save";
  attempt(() => order(path, path === "/load" ? { name: $("file").value, keep: $("keep").checked } : { name: $("file").value }));
});

const pick = (id) => () => {
  document.querySelector(`input[value=${id}]`).checked = true;
  choose();
};
const KEYS = { b: pick("box"), s: pick("scribble"), p: pick("polygon"), a: pick("add"), r: pick("remove"), z: () => drawing.undo() };

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input[type=text], select");
  if (event.altKey || event.metaKey || (event.ctrlKey && event.key !== "z")) return;
  if (frame === null) {
    const onCanvas = event.target === canvas && (event.key === "Enter" || event.key === " ");
    if (!onCanvas && (typing || event.key.toLowerCase() !== "f")) return;
    event.preventDefault();
    attempt(freeze);
  } else if (event.key === "Escape") {
    if (drawing.unfinished) drawing.abandon();
    else goLive();
    showButtons();
  } else if (event.target === canvas && drawing.key(event)) {
    event.preventDefault();
  } else if (event.target === canvas && event.key === "Enter") {
    event.preventDefault(); // or the field that it leads to would take it for its own
    $("name").focus();
  } else if (!typing && event.key.toLowerCase() in KEYS) {
    event.preventDefault();
    KEYS[event.key.toLowerCase()]();
  }
});
window.addEventListener("resize", () => drawing.paint());
goLive();
