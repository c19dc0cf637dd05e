"""The style sheet of the report, light and dark, in the colours of the page and of the pictures.

Readers with any kind of colour blindness tell the six runs apart, and colour is never alone.
"""

STYLE = """
:root{--page:#fff;--panel:#f6f6f3;--ink:#1c1e24;--muted:#575c68;--rule:#d9d9d3;--grid:#e2e2dd;--link:#4b34c9;
--run0:#0b7f9c;--run1:#bf5611;--run2:#4a1fd6;--run3:#2b3d12;--run4:#7a2552;--run5:#8a6e45;
--zero:#bf5611;--subnormal:#4a1fd6;--normal:#0b7f9c;--overflow:#7a2552;
--in-zero:#fdeee4;--in-subnormal:#eeebfd;--in-overflow:#f5e6ef;
--l1:#ccd2f6;--l2:#a6aaec;--l3:#7d78dd;--l4:#5645c9;--l5:#2a1689;--bad:#b3261e;--bad-panel:#fdf0ee;--good:#3c6410}
@media (prefers-color-scheme:dark){:root{--page:#131519;--panel:#1c1f26;--ink:#eceef3;--muted:#a7aebc;--rule:#3a414a;
--grid:#313743;--link:#b4a8ff;--run0:#75e0ff;--run1:#f75a1e;--run2:#8780ff;--run3:#cae796;--run4:#fd739d;--run5:#ffd400;
--zero:#f75a1e;--subnormal:#8780ff;--normal:#75e0ff;--overflow:#fd739d;
--in-zero:#42291c;--in-subnormal:#2b2750;--in-overflow:#35212e;
--l1:#3a3f63;--l2:#585d98;--l3:#807fcb;--l4:#aaa2f2;--l5:#dcd5ff;--bad:#ffb4a9;--bad-panel:#331d1b;--good:#b5dd7e}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1120px;margin:0 auto;padding:28px 24px 48px}
h1{font-size:1.7rem;line-height:1.25;margin:.1em 0 .4em;max-width:34em;text-wrap:balance}
h2{font-size:1.3rem;margin:0 0 .7em}
h3{font-size:1.05rem;margin:0;display:inline-flex;gap:.6em;align-items:center}
h4{font-size:1rem;margin:1.8em 0 .2em}
p{margin:.3em 0 .9em;max-width:46em}
a{color:var(--link)}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.9em}
.muted,figcaption span{color:var(--muted)}
.kicker{color:var(--muted);font-weight:600;letter-spacing:.02em;margin:0}
.part{margin-top:44px;padding-top:22px;border-top:1px solid var(--rule)}
.part{scroll-margin-top:3em}
h1 span{display:inline-block}
nav ul,.key{list-style:none;display:flex;flex-wrap:wrap;gap:.35em 1.3em;margin:.6em 0 1em;padding:0}
.key{font-size:.875rem;color:var(--muted)}
.key li{display:flex;align-items:center;gap:.45em}
.key.runs{color:var(--ink);font-size:.95rem}
.defs{position:absolute}
table{border-collapse:collapse;width:100%}
th,td{text-align:right;padding:.5em .7em;border-bottom:1px solid var(--rule);vertical-align:top;font-weight:400}
thead th{color:var(--muted);font-size:.875rem;vertical-align:bottom;border-bottom:2px solid var(--rule)}
th:first-child{text-align:left;padding-left:0}
.results tbody th{min-width:14em}
.results th,.results td{padding:.5em .45em}.results th:first-child{padding-left:0}
.results td{white-space:nowrap}
.results+p{margin-top:1em}
.who{display:flex;gap:.6em;align-items:center;font-weight:600}
.who a,.case h3,.run h3{overflow-wrap:anywhere;min-width:0}
.policy{color:var(--muted);font-size:.8125rem;overflow-wrap:anywhere}
.died{color:var(--bad);font-weight:600;white-space:nowrap}
.fine{color:var(--good);white-space:nowrap}
.scrolled{overflow-x:auto}
.costs th,.costs td,.options th,.options td{padding:.35em .7em}
.options td,.options th{text-align:left;font-size:.9rem;overflow-wrap:anywhere;min-width:7.5em}
.options tbody th{white-space:nowrap;min-width:0}
.costs td{white-space:nowrap}.costs td .muted{font-size:.8125rem}
.case{padding:14px 18px;background:var(--panel);border-radius:8px;margin-bottom:14px}
.case>p{margin:.4em 0 0}
.advice{list-style:none;margin:.5em 0 0;padding:0}
.advice li{margin:.55em 0;max-width:60em}
.topic::after{content:"."}
.cure{margin-top:.15em;display:flex;flex-wrap:wrap;gap:.2em 1.2em}
.cure span code{font-weight:600;background:var(--page);border:1px solid var(--rule);border-radius:4px;
padding:.08em .4em}
.cure details{min-width:0;max-width:100%}
.cure summary{color:var(--muted);font-size:.875rem;line-height:1.8}
summary{cursor:pointer}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3em 0;padding:.5em .8em;background:var(--page);
border:1px solid var(--rule);border-radius:4px}
.death{margin:.7em 0;padding:.7em 1em;background:var(--bad-panel);border-left:5px solid var(--bad);border-radius:4px}
.death>strong{color:var(--bad)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15em 1.2em;margin:.4em 0 0}
dt{color:var(--muted)}
dd{margin:0;overflow-wrap:anywhere}
figure{margin:0}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(400px,100%),1fr));gap:30px 40px}
figcaption span{display:block;font-size:.875rem}
.axes{padding:12px 10px 0 52px}
svg.plot{display:block;width:100%;height:200px;overflow:visible}
svg text{font-size:12.5px;fill:var(--muted)}
.middle{text-anchor:middle}.end{text-anchor:end}
.xlabel{text-align:center;color:var(--muted);font-size:.8125rem;padding:20px 10px 0 52px}
.grid{stroke:var(--grid)}
.curve{fill:none;stroke:var(--c);stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.marker,.cross{fill:var(--c);stroke:var(--page);stroke-width:1}
.case .marker{stroke:var(--panel)}
.cross{fill:var(--bad)}
.c0{--c:var(--run0)}.c1{--c:var(--run1)}.c2{--c:var(--run2)}.c3{--c:var(--run3)}.c4{--c:var(--run4)}.c5{--c:var(--run5)}
.d1{stroke-dasharray:7 3}.d2{stroke-dasharray:2 3}.d3{stroke-dasharray:8 3 2 3}.d4{stroke-dasharray:4 2}
.d5{stroke-dasharray:12 4}.marker,.cross,.grid,.swatch .marker{stroke-dasharray:none}
.swatch{flex:none;overflow:visible}
.run{border:1px solid var(--rule);border-radius:8px;padding:0 18px;margin-bottom:14px}
.run[open]{padding-bottom:18px}
.run>summary{padding:12px 0}
.run>summary h3{margin-right:1em}
.run>summary .muted{font-size:.875rem}
.kind{margin:.7em 0}
.kind>summary{font-weight:600;padding:.15em 0}
.kind figcaption{margin:.2em 0 .5em;max-width:46em}
.window .row{display:grid;grid-template-columns:9.5em minmax(0,1fr) 15.5em;gap:0 14px;align-items:center}
.window .note{font-size:.8125rem;line-height:1.35}
.name{overflow-wrap:anywhere;font-size:.9rem}
.histogram{display:block;width:100%;height:44px;border-bottom:1px solid var(--muted);margin-bottom:6px}
.ruler{display:block;width:100%;overflow:visible}
.in-zero{fill:var(--in-zero)}.in-subnormal{fill:var(--in-subnormal)}.in-overflow{fill:var(--in-overflow)}
.bar-zero{fill:var(--zero)}.bar-subnormal{fill:var(--subnormal)}.bar-normal{fill:var(--normal)}.bar-overflow{fill:var(--overflow)}
svg text.zone-zero{fill:var(--zero)}svg text.zone-overflow{fill:var(--overflow)}
.ghost{fill:none;stroke:var(--ink);stroke-width:1.4;stroke-dasharray:4 2.5;vector-effect:non-scaling-stroke}
.strips{margin:.5em 0}
.strips .row{display:grid;grid-template-columns:9.5em repeat(var(--n),minmax(0,1fr));gap:2px 18px;align-items:end;
margin-bottom:7px}
.n1{--n:1}.n2{--n:2}.n3{--n:3}.n4{--n:4}
.strips .head .cell{font-weight:600;font-size:.875rem}
.figure{font-size:.8125rem;line-height:1.3}
.strip{display:block;width:100%;height:20px;background:var(--panel);border-bottom:1px solid var(--muted)}
.level1{fill:var(--l1)}.level2{fill:var(--l2)}.level3{fill:var(--l3)}.level4{fill:var(--l4)}.level5{fill:var(--l5)}
.spark{fill:none;stroke:var(--normal);stroke-width:1.8;vector-effect:non-scaling-stroke}
.full{stroke:var(--muted);stroke-dasharray:3 3}
footer{margin-top:44px;padding-top:14px;border-top:1px solid var(--rule);color:var(--muted);font-size:.875rem}
footer p{margin:.2em 0}
@media screen and (max-width:1080px){
.results,.results tbody,.results tr,.results th,.results td{display:block}
.results thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
.results tr{padding:10px 0;border-bottom:1px solid var(--rule)}
.results th,.results td{border:0;padding:.12em 0}
.results td{display:flex;justify-content:space-between;gap:1em}
.results td::before{content:attr(data-label);color:var(--muted);font-weight:400;white-space:normal;text-align:left}
.results td{max-width:34em}
}
@media (max-width:720px){
main{padding:18px 14px 36px}
h1{font-size:1.35rem}
.case{padding:12px 13px}
dl{grid-template-columns:1fr}dt{margin-top:.3em}
.run{padding:0 12px}
.window .row{grid-template-columns:minmax(0,1fr) auto;gap:0 10px}
.window .row .histogram,.window .row .ruler{grid-column:1/-1;grid-row:2}
.window .row .note{text-align:right;max-width:17em}
.window .head .name,.window .head .note{display:none}
.strips .row{grid-template-columns:repeat(var(--n),minmax(0,1fr));gap:1px 10px;margin-bottom:12px}
.strips .name{grid-column:1/-1;font-weight:600}
.strips .head .cell{font-size:.8125rem;line-height:1.2}
}
@media (min-width:721px){nav{position:sticky;top:0;z-index:2;background:var(--page)}nav ul{padding:.5em 0}}
@media print{nav{display:none}.case,.chart,.row,tr{break-inside:avoid}h2,h3,h4,summary{break-after:avoid}
.key{break-after:avoid}.results{font-size:.8125rem}.run{border:0;padding:0}.scrolled{overflow:visible;font-size:.875em}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.options td,.options th{min-width:0;padding:.3em .35em;font-size:.72rem}}
"""
