// Keeps an open page true: when the server says that something happened, the page is fetched anew
// and the parts that differ are put in place of the old ones. Without this script all still works.
"use strict";

(() => {
  const address = document.body.dataset.live;
  const note = document.getElementById("live");
  if (!address || !window.EventSource) return;

  const say = (words, live) => {
    note.textContent = words;
    note.classList.toggle("lost", !live);
  };

  let fetching = false;
  let again = false;

  async function refresh() {
    if (fetching) {
      again = true;
      return;
    }
    fetching = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
      say("Live", true);
    } catch {
      say("This page could not be brought up to date. Reload it.", false);
    } finally {
      fetching = false;
      if (again) {
        again = false;
        refresh();
      }
    }
  }

  function swap(fresh) {
    for (const part of document.querySelectorAll("[data-part]")) {
      const newer = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
      if (!newer || part.dataset.served === newer.innerHTML) continue;
      if (part.dataset.served === undefined && part.innerHTML === newer.innerHTML) continue;
      const served = newer.innerHTML;
      keepOpen(part, newer);
      const focused = part.contains(document.activeElement) ? place(part) : null;
      part.replaceChildren(...newer.childNodes);
      part.dataset.served = served;
      if (focused !== null) focusable(part)[focused]?.focus({ preventScroll: true });
      part.dispatchEvent(new CustomEvent("swapped", { bubbles: true }));
    }
  }

  // what a person has opened stays open
  function keepOpen(part, newer) {
    for (const details of part.querySelectorAll("details[id]")) {
      const twin = newer.querySelector(`#${CSS.escape(details.id)}`);
      if (twin) twin.open = details.open;
    }
  }

  const focusable = (part) => [...part.querySelectorAll("a, button, input, summary, [tabindex]")];
  const place = (part) => focusable(part).indexOf(document.activeElement);

  const source = new EventSource(address);
  source.onopen = () => say("Live", true);
  source.onmessage = () => refresh();
  source.onerror = () => {
    const closed = source.readyState === EventSource.CLOSED;
    say(closed ? "No longer live. Reload the page." : "No longer live; trying to reconnect.", false);
  };
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
})();
