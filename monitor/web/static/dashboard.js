// What the keyboard does, and lists that follow what others do. Every page works without this file.
"use strict";
(() => {
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const one = (selector, inside = document) => inside && inside.querySelector(selector);
  let chosen = "";

  const select = (row) => {
    rows().forEach((other) => other.classList.toggle("chosen", other === row));
    if (!row) return;
    chosen = row.id;
    const link = one("[data-open]", row);
    if (link) link.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };
  const current = () => one("[data-row].chosen") || rows().find((row) => row.contains(document.activeElement));
  const step = (by) => {
    const all = rows();
    const at = all.indexOf(current());
    if (all.length) select(all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))]);
  };
  const respond = () => {
    const part = one("[data-respond]");
    if (part) {
      part.open = true;
      const field = one("textarea", part);
      if (field) field.focus();
      return;
    }
    const link = one("[data-open]", current());
    if (link) location.href = link.href + "#respond";
  };
  const press = (selector, inside) => {
    const found = one(selector, inside || document);
    if (found) found.click();
    return Boolean(found);
  };
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    o: () => (rows().length ? press("[data-open]", current() || rows()[0]) : press("[data-post]")),
    c: () => (rows().length ? current() && press("[data-claim]", current()) : press("[data-claim]")),
    r: respond,
    u: () => press("[data-back]"),
    "/": () => one("input[type=search]") && one("input[type=search]").focus(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const writing = event.target.closest("input, textarea, select");
    if (event.key === "Escape" && writing) writing.blur();
    if (writing || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-row]");
    if (row) rows().forEach((other) => other.classList.toggle("chosen", other === row));
  });

  if (location.hash === "#respond") respond();

  // The token behind the # of the printed link: it was never part of a request until this form sends it.
  const form = one("[data-sign-in]");
  if (form && location.hash.length > 16) {
    form.elements.token.value = decodeURIComponent(location.hash.slice(1));
    history.replaceState(null, "", location.pathname + location.search);
    form.elements.name.focus();
  }

  // Lists follow: every few seconds, while somebody looks, ask for a mark of a few bytes; fetch the page when it moved.
  const live = one("#live[data-mark]");
  if (!live) return;
  let mark = live.dataset.mark;
  let wait = 5000;
  const busy = () => {
    const field = document.activeElement;
    return field && live.contains(field) && field.matches("input, textarea, select");
  };
  let timer = 0;
  const look = async () => {
    clearTimeout(timer);
    try {
      if (!document.hidden && !busy()) {
        const answer = await fetch("/live", { credentials: "same-origin" });
        if (answer.status === 401) return;
        const now = answer.ok ? (await answer.json()).mark : mark;
        wait = answer.ok ? 5000 : Math.min(60000, wait * 2);
        if (now !== mark) {
          const page = await fetch(location.href, { credentials: "same-origin" });
          const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
          const part = fresh.getElementById("live");
          if (page.ok && part && !busy()) {
            live.replaceChildren(...document.adoptNode(part).childNodes);
            mark = now;
            document.title = fresh.title;
            const was = chosen && document.getElementById(chosen);
            if (was) was.classList.add("chosen");
          }
        }
      }
    } catch (problem) {
      wait = Math.min(60000, wait * 2);
    }
    clearTimeout(timer);
    timer = setTimeout(look, wait);
  };
  timer = setTimeout(look, wait);
  window.addEventListener("focus", look);
})();
