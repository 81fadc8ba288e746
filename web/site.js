// Tables and code that are wider than the screen scroll; the keyboard reaches those, and only those.
function reachWide() {
  for (const box of document.querySelectorAll("pre, .wide")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
addEventListener("resize", reachWide);
document.addEventListener("toggle", reachWide, true);
reachWide();

// Search: every word must begin a word of the section; a word in the title counts more than one in the text,
// and in a short title more than in a long one.
const MOST_SHOWN = 40;
const AROUND = 90; // characters of text shown before and after the first hit

function find(sections, query) {
  const words = query.toLowerCase().match(/[\p{L}\p{N}_]+/gu) || [];
  const patterns = words.map((word) => new RegExp(`(?<![\\p{L}\\p{N}_])${word}`, "giu"));
  const hits = [];
  for (const section of sections) {
    let score = patterns.length ? 1 : 0;
    for (const pattern of patterns) {
      const inTitle = (section.title.match(pattern) || []).length;
      const inText = (section.text.match(pattern) || []).length;
      score *= inTitle * 20 + Math.min(inText, 10);
    }
    if (score) hits.push({ section, score: score / (20 + section.title.length) });
  }
  hits.sort((one, other) => other.score - one.score);
  return { hits: hits.map((hit) => hit.section), patterns };
}

function marked(text, patterns) {
  const part = document.createDocumentFragment();
  const spots = patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((hit) => [hit.index, hit[0].length]));
  let end = 0;
  for (const [start, length] of spots.sort((one, other) => one[0] - other[0])) {
    if (start < end) continue;
    const mark = document.createElement("mark");
    mark.textContent = text.slice(start, start + length);
    part.append(text.slice(end, start), mark);
    end = start + length;
  }
  part.append(text.slice(end));
  return part;
}

function excerpt(text, patterns) {
  const first = Math.max(0, Math.min(...patterns.map((pattern) => Math.max(0, text.search(pattern)))));
  const start = first > AROUND ? text.indexOf(" ", first - AROUND) + 1 : 0;
  const end = text.length > first + 2 * AROUND ? text.lastIndexOf(" ", first + 2 * AROUND) : text.length;
  return (start ? "… " : "") + text.slice(start, end) + (end < text.length ? " …" : "");
}

const index = document.getElementById("index");
if (index) {
  const sections = JSON.parse(index.textContent);
  const input = document.getElementById("query");
  const found = document.getElementById("found");
  const invitation = found.textContent;
  const show = () => {
    const { hits, patterns } = find(sections, input.value);
    const shown = hits.slice(0, MOST_SHOWN);
    const count = hits.length === 1 ? "1 section" : `${hits.length} sections`;
    found.textContent = !patterns.length
      ? invitation
      : count + (hits.length > shown.length ? `, the best ${shown.length} of them below` : "") + ".";
    document.getElementById("results").replaceChildren(
      ...shown.map((section) => {
        const item = document.createElement("li");
        const link = document.createElement("a");
        link.href = section.address;
        link.append(marked(section.title, patterns));
        const place = document.createElement("span");
        place.textContent = section.page;
        const text = document.createElement("p");
        text.append(marked(excerpt(section.text, patterns), patterns));
        item.append(link, place, text);
        return item;
      }),
    );
  };
  input.value = new URLSearchParams(location.search).get("q") || "";
  input.addEventListener("input", show);
  show();
  input.focus();
}
