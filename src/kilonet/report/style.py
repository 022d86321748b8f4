"""How the page looks: light and dark, on paper and on a phone. Colours keep the contrast of WCAG AA (4.5 to 1)."""

# What a row of a table is on a screen that has no room for its columns: a card, of as many columns as fit.
_CARDS = """
  TABLE, TABLE caption, TABLE tbody, TABLE tbody th, TABLE tbody td { display: block; }
  TABLE thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  TABLE tbody tr { border: 1px solid var(--line); border-radius: .4rem; margin: .8rem 0; overflow: hidden;
    display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); column-gap: 2rem; }
  TABLE tbody tr.marked { border: 2px solid var(--mark); }
  TABLE tbody th { background: var(--band); border-bottom: 1px solid var(--line); grid-column: 1 / -1; }
  TABLE tbody td { display: flex; justify-content: space-between; gap: 1rem; text-align: right; border-bottom: 0;
    padding: .25rem .7rem; }
  TABLE tbody td::before { content: attr(data-label); color: var(--soft); font-weight: 400; text-align: left; }
  TABLE tbody td.none { display: none; }
""".strip("\n")
STYLE = """
:root {
  color-scheme: light dark;
  --ground: #ffffff; --text: #1b1f24; --soft: #57606a; --line: #d0d7de; --band: #f4f6f8;
  --mark: #0a6b4b; --marked: #e6f4ee; --note: #9a6700; --noted: #fff8e5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14181d; --text: #e6e9ec; --soft: #a4adb7; --line: #3a424b; --band: #1d2229;
    --mark: #5fd0a4; --marked: #16302a; --note: #e3b341; --noted: #2b2413;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: break-word;
}
main { max-width: 80rem; margin: 0 auto; padding: 2rem 1rem 3rem; }
p, ul, dl { max-width: 46rem; }
header { border-bottom: 1px solid var(--line); padding-bottom: 1rem; }
.from { margin: 0; color: var(--soft); font-size: .9rem; }
h1 { font-size: 2.1rem; line-height: 1.2; margin: .3rem 0 .8rem; }
h2 { font-size: 1.35rem; line-height: 1.3; margin: 2.4rem 0 .6rem; }
.lead { font-size: 1.25rem; line-height: 1.45; }
ul { padding-left: 1.3rem; }
li { margin: .25rem 0; }
.note { border: 1px solid var(--note); border-left-width: .4rem; background: var(--noted); border-radius: .4rem;
  padding: .2rem 1.2rem .4rem; margin: 1.6rem 0; max-width: 48rem; }
.note h2 { margin: .6rem 0 .2rem; font-size: 1.1rem; }
dl { display: grid; grid-template-columns: minmax(7rem, 10rem) 1fr; gap: .5rem 1.2rem; margin: .8rem 0; }
dt { font-weight: 600; }
dd { margin: 0; min-width: 0; }
table { border-collapse: collapse; margin: 1rem 0; font-size: .86rem; line-height: 1.4;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding: .3rem 0; max-width: 52rem; }
th, td { padding: .45rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid var(--line); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 600; overflow-wrap: anywhere; min-width: 6rem; }
.wide { font-size: .8rem; }
.wide th, .wide td { padding: .45rem .35rem; }
.wide tbody td:nth-child(2) { min-width: 8rem; }
.number { text-align: right; }
.marked { background: var(--marked); }
.marked th, .marked td { font-weight: 700; }
.marked th { border-left: .3rem solid var(--mark); }
.scroll { overflow-x: auto; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.4rem; }
figure { margin: 0; break-inside: avoid; }
.picture { background: #ffffff; border: 1px solid var(--line); border-radius: .4rem; padding: .6rem; }
.picture svg { display: block; width: 100%; height: auto; margin: 0 auto; stroke-linejoin: round;
  stroke-linecap: butt; }
figcaption { padding: .5rem .2rem 0; font-size: .92rem; color: var(--soft); }
figcaption b { display: block; color: var(--text); }
pre { background: var(--band); border: 1px solid var(--line); border-radius: .4rem; padding: .8rem 1rem;
  white-space: pre-wrap; overflow-wrap: anywhere; font: .9rem/1.5 ui-monospace, Menlo, Consolas, monospace; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .9rem; }
@media screen and (max-width: 52rem) {
  h1 { font-size: 1.6rem; }
  .lead { font-size: 1.1rem; }
  .picture { margin: 0 -.7rem; padding: .2rem; }
  dl { display: block; }
  dt { margin-top: .8rem; }
}
@media screen and (max-width: 72rem) {
WIDE
}
@media screen and (max-width: 40rem) {
NARROW
}
@media print {
  :root { --ground: #ffffff; --text: #000000; --soft: #444444; --line: #999999; --band: #ffffff; --mark: #000000;
    --marked: #eeeeee; --note: #000000; --noted: #ffffff; color-scheme: light; }
  @page { size: A4 landscape; margin: 12mm; }
  html { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  .scroll { overflow: visible; }
  table, .wide { font-size: 8pt; }
  th, td, .wide th, .wide td { padding: 2pt 4pt; }
  h2 { margin-top: 1.4rem; }
  tr, .note, pre { break-inside: avoid; }
  h2 { break-after: avoid; }
}
""".strip()
STYLE = STYLE.replace("WIDE", _CARDS.replace("TABLE", ".wide")).replace("NARROW", _CARDS.replace("TABLE", "table"))
