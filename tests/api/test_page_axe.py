"""The pages in Chromium as axe-core judges them: no violation in any state, width and scheme."""
import json

import pytest

from harness import ROOT
from page_states import LOOKS, STATES, open_state

AXE = list((ROOT / ".cache/api-tools").glob("lib/python3*/site-packages/axe_playwright_python/axe.min.js"))


@pytest.mark.parametrize("state", STATES)
def test_accessible(any_look, server, state):
    if not AXE:
        pytest.skip("axe-core is not in .cache/api-tools (scripts/lib.sh: install_tools)")
    for scheme, size in LOOKS[::3] if state == "docs" else LOOKS:  # of the long page: light and wide, dark and narrow
        any_look.look(scheme, size)
        open_state(any_look, f"http://127.0.0.1:{server.port}", state)
        any_look.cdp("Runtime.evaluate", expression=AXE[0].read_text(encoding="utf-8"))
        any_look.driver.set_script_timeout(300)  # it looks at each element of a long page
        result = any_look.run_async("async () => JSON.stringify(await axe.run(document, {resultTypes: ['violations', 'passes']}))")
        result = json.loads(result)
        assert len(result["passes"]) > 10
        assert [(rule["id"], [(node["target"], node.get("failureSummary")) for node in rule["nodes"]])
                for rule in result["violations"]] == [], (state, scheme, size)
