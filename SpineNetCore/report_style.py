"""How the report's page looks: on a light or dark screen, and on paper."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b2530; --soft: #5b6875; --paper: #ffffff; --panel: #f4f6f8; --line: #d5dbe1;
  --notice: #fff3d6; --notice-line: #d98200;
  --s0: transparent; --s1: #fdeedb; --s2: #fbd3a2; --s3: #f5a85c; --s4: #e07b1a; --s-ink: #1b2530; --bar: #2b6ea6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #9fadb9; --paper: #12181e; --panel: #1b232b;
  --line: #35414c; --notice: #3a2c0d; --s1: #4a3518; --s2: #7a4f17; --s3: #b96d14; --s4: #f0953a;
  --s-ink: #ffffff; --bar: #6db3e8; } .s4 { --s-ink: #12181e; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 24px 28px 48px; }
h1 { font-size: 27px; line-height: 1.2; margin: 0 0 4px; } h2 { font-size: 20px; margin: 36px 0 10px; }
h3 { font-size: 17px; margin: 0; } p { margin: 6px 0; } .soft, figcaption { color: var(--soft); font-size: 13px; }
.notice { background: var(--notice); border-left: 5px solid var(--notice-line); padding: 10px 16px; margin: 16px 0;
  border-radius: 4px; } .notice p { margin: 2px 0; } .notice ul { margin: 4px 0; padding-left: 20px; }
.facts { display: flex; flex-wrap: wrap; gap: 6px 28px; margin: 12px 0; padding: 0; list-style: none; }
.facts b { display: block; font-size: 12px; font-weight: 600; color: var(--soft); }
.top { display: grid; grid-template-columns: minmax(260px, 5fr) 7fr; gap: 28px; align-items: start; }
figure { margin: 0; } figcaption { margin-top: 6px; } .top h2 { margin-top: 0; } .overview, .crop { display: block;
  width: 100%; height: auto; background: #000; border-radius: 4px; }
.overview text { fill: #fff; stroke: #000; stroke-width: .22em; paint-order: stroke; stroke-linejoin: round;
  font-weight: 600; dominant-baseline: central; }
.body { fill: none; stroke: #ffc247; stroke-width: 1.6; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.overview .body-name { text-anchor: middle; fill: #ffdf9e; }
line.disc { stroke: #6cc5ff; stroke-width: 1; vector-effect: non-scaling-stroke; opacity: .75; }
circle.disc { fill: #6cc5ff; stroke: #00131f; stroke-width: 1; vector-effect: non-scaling-stroke; }
circle.unscored { fill: none; stroke: #fff; } line.unscored { stroke-dasharray: 3 3; stroke: #fff; }
.overview .disc-name { fill: #a9ddff; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; font-size: 13px; }
td, th { padding: 7px 8px; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { color: var(--soft); vertical-align: bottom; border-bottom-width: 2px; }
.scores th[scope=row] { white-space: nowrap; font-size: 15px; vertical-align: middle; } .scores td { width: 14.5%; }
.grade { font-size: 19px; font-weight: 700; line-height: 1.15; } .label { display: block; font-size: 12.5px;
  line-height: 1.25; }
.number { display: block; font-size: 12px; font-variant-numeric: tabular-nums; white-space: nowrap; margin-top: 2px;
  opacity: .85; }
.s0 { background: var(--s0); } .s1, .s2, .s3, .s4 { color: var(--s-ink); }
.s1 { background: var(--s1); } .s2 { background: var(--s2); } .s3 { background: var(--s3); }
  .s4 { background: var(--s4); }
.reason { font-style: italic; } .option { white-space: nowrap; }
.key { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 10px; margin: 10px 0; font-size: 13px;
  color: var(--soft); }
.key span { padding: 1px 8px; border: 1px solid var(--line); border-radius: 3px; }
.definitions { position: absolute; width: 0; height: 0; }
.level { margin-top: 28px; padding-top: 14px; border-top: 2px solid var(--line); }
.level > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 14px; margin-bottom: 10px; }
.cards { display: grid; grid-template-columns: repeat(2, 1fr); gap: 14px; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 10px 12px 12px; }
.card header { display: flex; align-items: center; gap: 8px; margin-bottom: 8px; font-size: 14px; }
.card header b { flex: none; } .card header .where { margin-left: auto; }
.badge { padding: 1px 9px; border-radius: 10px; border: 1px solid var(--line); font-size: 13px; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 6px; } .single { max-width: 360px; margin-bottom: 14px; }
.crop text { fill: #fff; stroke: #000; stroke-width: 3px; paint-order: stroke; font-size: 12px; font-weight: 600;
  dominant-baseline: central; opacity: .8; }
.chances { display: flex; gap: 6px; margin-top: 8px; font-size: 12px; font-variant-numeric: tabular-nums;
  color: var(--soft); }
.chances div { flex: 1; } .chances .chosen { color: var(--ink); font-weight: 700; }
.chances i { display: block; height: 5px; margin-top: 2px; border-radius: 2px; background: var(--line);
  overflow: hidden; }
.chances i i { margin: 0; height: 5px; background: var(--bar); }
.scale { display: inline-flex; align-items: center; gap: 8px; font-size: 13px; color: var(--soft); }
.scale svg { width: 220px; height: 14px; border-radius: 3px; border: 1px solid var(--line); background: #444; }
.used th { width: 22%; font-weight: 600; } code { font-size: 12.5px; overflow-wrap: anywhere; }
footer { margin-top: 36px; padding-top: 12px; border-top: 1px solid var(--line); }
@media (max-width: 900px) { .top, .cards { grid-template-columns: minmax(0, 1fr); }
  .scores { display: block; overflow-x: auto; } }
@media print { @page { size: A4; margin: 12mm; }
  :root { color-scheme: light; --ink: #000; --soft: #444; --paper: #fff; --panel: #fff; --line: #bbb; --notice: #fff3d6;
    --s1: #fdeedb; --s2: #fbd3a2; --s3: #f5a85c; --s4: #e07b1a; --s-ink: #000; --bar: #2b6ea6; } .s4 { --s-ink: #000; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; } .top { grid-template-columns: 1fr; } .overview { width: auto;
  max-height: 150mm; margin: 0 auto; }
  .cards { grid-template-columns: repeat(2, 1fr); gap: 8px; } .card, .notice, tr, figure { break-inside: avoid; }
  h2, h3, .level > header { break-after: avoid; } }
"""
