"""As much of a Dockerfile as our rules are about: one stage, instructions in order."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BFFS = tuple(str(path.parent.relative_to(ROOT)) for path in sorted(ROOT.glob("bffs/*/__init__.py")))
NOT_COPIED = shutil.ignore_patterns("__pycache__", ".*_cache", "*.pyc")  # as .dockerignore says


@dataclass(frozen=True)
class Dockerfile:
    path: Path
    instructions: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, path: Path) -> "Dockerfile":
        text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
        lines = [line.strip().partition(" ") for line in text.splitlines() if line.strip()]
        return cls(path, tuple((word.upper(), rest.strip()) for word, _, rest in lines))

    def all(self, word: str) -> list[str]:
        return [rest for name, rest in self.instructions if name == word]

    def copies(self) -> list[tuple[str, str]]:
        return [tuple(rest.split()) for rest in self.all("COPY")]

    def command(self) -> list[str]:
        return json.loads(self.all("CMD")[-1])

    def lock(self) -> str:
        return next(source for source, _ in self.copies() if source.endswith("requirements.lock"))

    def stage(self, folder: Path) -> None:
        """Lay out in ``folder`` exactly the files that the image would hold."""
        for source, target in self.copies():
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, folder / target, ignore=NOT_COPIED, dirs_exist_ok=True)
            else:
                (folder / target).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, folder / target)
