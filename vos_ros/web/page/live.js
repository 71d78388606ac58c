// Copyright 2026 The vos_ros authors
// SPDX-License-Identifier: Apache-2.0

// The live picture and the state of things. Each picture is asked for, so that on a slow line
// pictures are left out instead of coming late.

const AHEAD = 2; // pictures asked for at a time: one is on its way while one is shown
const RETRY = 1000; // ms

export class Live {
  // onPicture(serial, bitmap), onStatus(status), onConnected(yes)
  constructor(handlers) {
    this.handlers = handlers;
    this.paused = false;
    this.owed = 0;
    document.addEventListener("visibilitychange", () => this.ask());
    this.connect();
  }

  connect() {
    this.socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.owed = AHEAD;
      this.handlers.onConnected(true);
      this.ask();
    };
    this.socket.onmessage = (event) => this.take(event.data);
    this.socket.onclose = () => {
      this.handlers.onConnected(false);
      setTimeout(() => this.connect(), RETRY);
    };
  }

  pause(yes) {
    this.paused = yes;
    this.ask();
  }

  ask() {
    if (this.paused || document.hidden || this.socket.readyState !== WebSocket.OPEN) return;
    for (; this.owed > 0; this.owed -= 1) this.socket.send("next");
  }

  async take(data) {
    if (typeof data === "string") {
      this.handlers.onStatus(JSON.parse(data));
      return;
    }
    const serial = Number(new DataView(data).getBigUint64(0));
    try {
      const bitmap = await createImageBitmap(new Blob([data.slice(8)], { type: "image/jpeg" }));
      if (!this.paused) this.handlers.onPicture(serial, bitmap);
      bitmap.close();
    } finally {
      this.owed += 1;
      this.ask();
    }
  }
}
