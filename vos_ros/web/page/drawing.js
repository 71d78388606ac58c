// Copyright 2026 The vos_ros authors
// SPDX-License-Identifier: Apache-2.0

// Drawing on a frozen frame, by mouse, finger, pen or keys.

import { makeStroke, paintCursor, paintStroke } from "/strokes.js";

const NEAR = 12; // pixels on the screen: so near to its first corner, a click closes a polygon

export class Drawing {
  // onChange(): strokes have changed. say(text): for people who do not see.
  constructor(canvas, { onChange, say }) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.onChange = onChange;
    this.say = say;
    this.tool = "box";
    this.add = true;
    this.image = null;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", () => this.up());
    canvas.addEventListener("pointercancel", () => this.abandon());
    canvas.addEventListener("dblclick", () => this.closePolygon());
  }

  start(image) {
    this.image = image;
    this.size = [image.width, image.height];
    [this.canvas.width, this.canvas.height] = this.size;
    this.strokes = [];
    this.mask = null;
    this.cursor = null;
    this.abandon();
  }

  stop() {
    this.image = null;
  }

  use(tool, add) {
    if (tool !== this.tool) this.points = [];
    [this.tool, this.add] = [tool, add];
    if (this.image) this.paint();
  }

  get unfinished() {
    return this.points.length > 0;
  }

  undo() {
    if (this.unfinished) {
      this.points = this.tool === "polygon" ? this.points.slice(0, -1) : [];
      this.paint();
      this.onChange(false);
    } else if (this.strokes.pop()) {
      this.onChange(true);
    }
  }

  clear() {
    this.strokes = [];
    this.abandon();
    this.onChange(true);
  }

  abandon() {
    this.points = [];
    this.dragging = false;
    this.paint();
  }

  show(mask) {
    this.mask = mask;
    this.paint();
  }

  closePolygon() {
    if (this.tool === "polygon" && this.points.length >= 3) this.finish();
  }

  // Pointer ------------------------------------------------------------------------------------

  down(event) {
    if (!this.image || event.button > 0 || !event.isPrimary) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.cursor = null;
    const point = this.place(event);
    if (this.tool === "polygon") {
      this.corner(point, NEAR * this.pixel);
      return;
    }
    this.canvas.setPointerCapture(event.pointerId);
    this.dragging = true;
    this.points = [point];
    this.paint();
  }

  move(event) {
    if (!this.image || !this.dragging) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.points.push(this.place(each));
    if (this.tool === "box") this.points = [this.points[0], this.points[this.points.length - 1]];
    this.paint();
  }

  up() {
    if (!this.dragging) return;
    this.dragging = false;
    this.finish();
  }

  corner(point, near) {
    const [first] = this.points;
    const closes = first && this.points.length >= 3 && Math.hypot(point[0] - first[0], point[1] - first[1]) <= near;
    if (closes) {
      this.finish();
      return;
    }
    this.points.push(point);
    this.paint();
    this.onChange(false);
  }

  finish() {
    const stroke = makeStroke(this.tool, this.add, this.points, this.size);
    this.points = [];
    if (stroke) this.strokes.push(stroke);
    this.paint();
    this.onChange(Boolean(stroke));
  }

  // Keys: a cursor that arrows move and the space bar draws with ---------------------------------

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in moves) {
      const step = Math.max(1, Math.round(Math.max(...this.size) / (event.shiftKey ? 200 : 40)));
      const from = this.cursor ?? this.size.map((side) => Math.round(side / 2));
      this.cursor = from.map((value, i) => Math.min(this.size[i], Math.max(0, value + moves[event.key][i] * step)));
      if (this.unfinished && this.tool !== "polygon") {
        this.points = this.tool === "box" ? [this.points[0], this.cursor] : [...this.points, this.cursor];
      }
      this.paint();
      this.say(`${this.cursor[0]}, ${this.cursor[1]}`);
      return true;
    }
    if (event.key === " ") {
      this.cursor ??= this.size.map((side) => Math.round(side / 2));
      if (this.tool === "polygon") this.corner(this.cursor, 0);
      else if (this.unfinished) this.finish();
      else this.points = [this.cursor];
      this.say(this.unfinished ? "Drawing from here." : "Drawn.");
      this.paint();
      return true;
    }
    if (event.key === "Enter" && this.tool === "polygon" && this.points.length >= 3) {
      this.finish();
      return true;
    }
    return false;
  }

  // Where, and what it looks like ----------------------------------------------------------------

  get pixel() {
    // Image pixels to one pixel of the screen.
    const { width, height } = this.canvas.getBoundingClientRect();
    return 1 / Math.min(width / this.size[0], height / this.size[1]);
  }

  place(event) {
    // The image may have black bars beside it (object-fit: contain).
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const [across, down] = this.size.map((side) => side / this.pixel);
    const x = (event.clientX - left - (width - across) / 2) * this.pixel;
    const y = (event.clientY - top - (height - down) / 2) * this.pixel;
    const inside = [x, y].map((value, i) => Math.min(this.size[i], Math.max(0, value)));
    return inside.map((value) => Math.round(value * 10) / 10);
  }

  paint() {
    if (!this.image) return;
    this.context.drawImage(this.image, 0, 0);
    if (this.mask) this.context.drawImage(this.mask, 0, 0);
    paintStroke(this.context, this.tool, this.add, this.points, this.size, this.pixel);
    if (this.cursor) paintCursor(this.context, this.cursor, this.pixel);
  }
}
