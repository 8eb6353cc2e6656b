/* The style sheet and the script of report.html: light and dark, from a phone's width up. */
#include "trainer/report/report_impl.h"

static const char *const style[] = {
    ":root{color-scheme:light dark;--page:#f6f6f3;--card:#fff;--ink:#1c1c1a;--soft:#62625c;--rule:#e3e2dc;"
    "--a:#1f6fd0;--b:#12946a;--bad:#d0433f;--a3:#7fb0ea;--a5:#c4dbf6;--mark:#1c1c1a}\n",
    "@media(prefers-color-scheme:dark){:root{--page:#161615;--card:#20201e;--ink:#f1f0ea;--soft:#a8a79e;"
    "--rule:#393833;--a:#5a9df0;--b:#35b98b;--bad:#ef6a62;--a3:#34659f;--a5:#27405f;--mark:#f1f0ea}}\n",
    "*{box-sizing:border-box}\n",
    "body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif;"
    "-webkit-text-size-adjust:100%}\n",
    "main{max-width:1080px;margin:0 auto;padding:1rem}\n",
    "h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0 .25rem;overflow-wrap:anywhere}\n",
    "h2{font-size:1.15rem;margin:2rem 0 .5rem}\n",
    "h3{font-size:.95rem;margin:0 0 .5rem}\n",
    "p{margin:.25rem 0 .75rem;max-width:70ch}\n",
    ".bad{color:var(--bad)}\n",
    ".soft{color:var(--soft);font-size:.875rem}\n",
    ".grid{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr))}\n",
    ".facts{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fit,minmax(max(9.5rem,22%),1fr))}\n",
    ".card{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:.75rem;min-width:0}\n",
    ".card+.card,.card+.grid,.grid+.card,.facts+.grid{margin-top:.75rem}.grid>.card,.facts>.card{margin-top:0}\n",
    ".fact b{display:block;font-size:1.5rem;line-height:1.2;font-variant-numeric:tabular-nums}\n",
    ".scroll{overflow-x:auto}\n",
    "table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums;width:100%}\n",
    "th,td{padding:.3rem .5rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule);"
    "unicode-bidi:isolate}\n",
    "th{color:var(--soft);font-weight:600;white-space:normal;vertical-align:bottom}\n",
    "th.text,td.text,th:first-child,td:first-child{text-align:left}\n",
    "td.text,td:first-child{white-space:normal}td.text{min-width:8rem}\n",
    ".methods th:first-child,.methods td:first-child{position:sticky;left:0;background:var(--card);min-width:6rem}\n",
    ".methods small{display:block;white-space:nowrap}\n",
    "tr:last-child td{border-bottom:0}\n",
    "tr.chosen td{font-weight:600}\n",
    "td small,li small{color:var(--soft);font-size:.75rem;font-weight:400}\n",
    "svg{display:block;width:100%;max-width:34rem;height:auto;margin:0 auto;font-family:inherit}\n",
    "line.grid{stroke:var(--rule);stroke-width:1}\n",
    ".tick{fill:var(--soft);font-size:10px}.axis{fill:var(--soft);font-size:11px}\n",
    ".name{fill:var(--ink);font-size:12px}.num{fill:var(--ink);font-size:11px}\n",
    ".strong{fill:var(--ink);font-size:12px;font-weight:700}\n",
    "path{fill:none;stroke-width:2;stroke-linejoin:round}\n",
    "path.a{stroke:var(--a)}path.b{stroke:var(--b);stroke-dasharray:5 3}"
    "path.ideal{stroke:var(--soft);stroke-width:1;stroke-dasharray:3 3}"
    "path.whisker{stroke:var(--mark);stroke-width:1.5}\n",
    "rect.a{fill:var(--a)}rect.a3{fill:var(--a3)}rect.a5{fill:var(--a5)}rect.bad{fill:var(--bad)}"
    "rect.cell{fill:var(--rule);fill-opacity:.35}circle.a{fill:var(--a)}circle.b{fill:var(--b)}circle.bad{fill:var(--"
    "bad)}\n",
    ".key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin:0 .3em 0 "
    ".8em;vertical-align:-.05em}.key:first-child{margin-left:0}\n",
    ".key.a{background:var(--a)}.key.b{background:var(--b)}.key.a3{background:var(--a3)}"
    ".key.a5{background:var(--a5)}.key.bad{background:var(--bad)}\n",
    "details{border-bottom:1px solid var(--rule)}\n",
    "summary{cursor:pointer;padding:.5rem 0;overflow-wrap:anywhere;unicode-bidi:isolate}\n",
    "details details{margin-left:.75rem}details:last-child{border-bottom:0}\n",
    "details ul{margin:0 0 .75rem;padding-left:1.1rem;font-size:.875rem}\n",
    ".pairs{columns:22rem;column-gap:2rem;margin:0;padding-left:1.1rem;font-size:.875rem}.pairs li{break-inside:avoid}"
    "li small{white-space:nowrap}\n",
    "li{overflow-wrap:anywhere;unicode-bidi:isolate;margin:.15rem 0}\n",
    "input{font:inherit;width:100%;padding:.5rem;border:1px solid var(--rule);border-radius:6px;"
    "background:var(--page);color:inherit}\n",
};

/* Shows the filter, which does nothing without a script, hides what its words are not in, and unfolds the groups that
 * are left. */
static const char script[] = "const f=document.getElementById('filter');"
                             "const g=[...document.querySelectorAll('#browser>details')].map(e=>"
                             "[e,[...e.querySelectorAll('details')].map(x=>[x,x.textContent.toLowerCase()])]);"
                             "f.hidden=false;"
                             "f.addEventListener('input',()=>{const w=f.value.toLowerCase().split(/\\s+/).filter(v=>v);"
                             "for(const[e,c]of g){let n=0;"
                             "for(const[x,t]of c){x.hidden=!w.every(v=>t.includes(v));n+=!x.hidden;}"
                             "e.hidden=!n;e.open=w.length>0;}});";

const char jc_report_script_hash[] = "sha256-Kb2J8MRUv5VNFr8R/BVqvZuU5ZgcdbM5ysG5CicNkGk=";

void jc_report_put_style(struct jc_buf *out)
{
    for (size_t i = 0; i < JC_COUNT(style); i++)
        jc_buf_puts(out, style[i]);
}

void jc_report_put_script(struct jc_buf *out)
{
    jc_buf_puts(out, script);
}
