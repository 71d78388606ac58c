// Copyright 2026 The vos_ros authors
// SPDX-License-Identifier: Apache-2.0

// What is drawn, as the server wants it, and how it looks while it is being drawn.

const MOST_POINTS = 1500;

export function makeStroke(tool, add, points, size) {
  if (tool === "box") {
    const [[x0, y0], [x1, y1]] = [points[0], points[points.length - 1]];
    const box = { x: Math.min(x0, x1), y: Math.min(y0, y1), width: Math.abs(x1 - x0), height: Math.abs(y1 - y0) };
    return box.width >= 2 && box.height >= 2 ? { kind: "box", add, ...box } : null;
  }
  if (tool === "polygon") {
    return points.length >= 3 ? { kind: "polygon", add, points } : null;
  }
  return { kind: "scribble", add, width: scribbleWidth(size), points: thinned(points) };
}

export function scribbleWidth([width, height]) {
  return Math.max(3, Math.min(width, height) / 70);
}

function thinned(points) {
  const stride = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, i) => i % stride === 0 || i === points.length - 1);
}

export function paintStroke(context, tool, add, points, size, pixel) {
  if (!points.length) return;
  context.save();
  context.lineJoin = context.lineCap = "round";
  // Twice, light on dark: seen on every ground.
  for (const [colour, width] of [["#000b", 4 * pixel], [add ? "#fff" : "#ff9a5c", 2 * pixel]]) {
    context.strokeStyle = colour;
    context.lineWidth = tool === "scribble" ? scribbleWidth(size) + (colour === "#000b" ? 2 * pixel : 0) : width;
    context.beginPath();
    if (tool === "box") {
      const [[x0, y0], [x1, y1]] = [points[0], points[points.length - 1]];
      context.setLineDash(add ? [] : [8 * pixel, 6 * pixel]);
      context.rect(x0, y0, x1 - x0, y1 - y0);
    } else {
      context.globalAlpha = tool === "scribble" ? 0.75 : 1;
      context.moveTo(...points[0]);
      for (const point of points) context.lineTo(...point);
    }
    context.stroke();
    if (tool === "polygon") {
      context.fillStyle = colour;
      for (const [x, y] of points) {
        context.beginPath();
        context.arc(x, y, (colour === "#000b" ? 6 : 4) * pixel, 0, 2 * Math.PI);
        context.fill();
      }
    }
  }
  context.restore();
}

export function paintCursor(context, [x, y], pixel) {
  context.save();
  for (const [colour, width] of [["#000c", 4], ["#fff", 2]]) {
    context.strokeStyle = colour;
    context.lineWidth = width * pixel;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + 4 * dx * pixel, y + 4 * dy * pixel);
      context.lineTo(x + 16 * dx * pixel, y + 16 * dy * pixel);
    }
    context.stroke();
  }
  context.restore();
}
