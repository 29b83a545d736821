/** How the page of debugpage.ts looks, in light and in dark. */
export const DEBUG_STYLE = `
:root { color-scheme: light dark; --text: #1c2330; --dim: #667085; --ground: #f6f7f9; --card: #fff; --line: #e3e6eb;
  --accent: #c2273d; --mark: #fdeaec; --link: #1456c5 }
@media (prefers-color-scheme: dark) { :root { --text: #e4e7ec; --dim: #98a2b3; --ground: #12151b; --card: #1a1e26;
  --line: #2c323d; --accent: #ff7a85; --mark: #3a2026; --link: #84b4ff } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif }
header, main, footer { max-width: 68rem; margin: 0 auto; padding: 1rem 1.25rem }
header { color: var(--dim); padding-bottom: 0; overflow-wrap: anywhere }
header b { color: var(--accent); margin-right: .5rem }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.25rem;
  margin-bottom: 1rem }
h1, h2 { margin: 0 0 .75rem; font-size: 1.4rem; line-height: 1.3; overflow-wrap: anywhere; white-space: pre-wrap }
h2 { font-size: 1.1rem }
.name { color: var(--accent) }
.cause { margin: 0; color: var(--dim) }
figure { margin: 0 0 1rem; border: 1px solid var(--line); border-radius: 8px; overflow: hidden }
figcaption { padding: .5rem .75rem; border-bottom: 1px solid var(--line) }
pre { margin: 0; padding: .5rem 0; overflow-x: auto }
pre, code, ol, td { font: 13px/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
pre span, pre mark { display: block; padding: 0 .75rem; background: none; color: inherit }
pre mark { background: var(--mark); box-shadow: inset 3px 0 var(--accent) }
pre i { color: var(--dim); font-style: normal; user-select: none }
a { color: var(--link); text-decoration: none }
a:hover { text-decoration: underline }
ol { margin: 0; padding-left: 1.5rem; overflow-wrap: anywhere }
details { margin-top: .75rem; color: var(--dim) }
summary { cursor: pointer }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; overflow-wrap: anywhere }
th { color: var(--dim); font-weight: 500; white-space: nowrap }
footer { color: var(--dim); font-size: .85rem; padding-top: 0 }
`;
