"""guide.py - the marked blocks of two documents, for whoever tries what they tell people."""
import json
import re

from .process import ROOT

GUIDE, AZURE = ROOT / "docs/integrate.md", ROOT / "docs/azure.md"
BLOCK = re.compile(r"^```(\w+) ?(\w*)\n(.*?)^```$", re.M | re.S)


def blocks(language):
    """The text of every block in that language, in the document's order."""
    return [text for found, _, text in BLOCK.findall(GUIDE.read_text()) if found == language]


def block(language, name, document=GUIDE):
    """The text of the one block with that name."""
    found = [text for spoken, called, text in BLOCK.findall(document.read_text())
             if (spoken, called) == (language, name)]
    assert len(found) == 1, f"{len(found)} blocks of {language} are called {name} in {document}"
    return found[0]


def example(name):
    return json.loads(block("json", name))
