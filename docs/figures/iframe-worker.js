// Copyright 2026 The vos_ros authors
// SPDX-License-Identifier: Apache-2.0
//
// Browsers start no workers for pages that are opened from the disk, and the site's search is one. For those pages it
// runs in a hidden frame, which behaves as a worker as far as the search needs it. The theme's plugin "offline" would
// fetch the same from elsewhere; it looks for this file's name.

if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.srcdoc = "<body></body>"; // of the page's own origin
      this.inside = new Promise((started, failed) => {
        frame.onload = () => {
          const inside = frame.contentWindow;
          inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
          const script = inside.document.createElement("script");
          script.onload = () => started(inside);
          script.onerror = failed;
          script.src = new URL(url, document.baseURI).href;
          inside.document.body.append(script);
        };
      });
      document.body.append(frame);
    }

    postMessage(data) {
      this.inside.then((inside) => inside.dispatchEvent(new inside.MessageEvent("message", { data })));
    }
  };
  window.Worker = window.IFrameWorker;
}
