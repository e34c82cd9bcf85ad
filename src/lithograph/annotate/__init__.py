"""Images and a vocabulary in, one run out: the road."""

from lithograph.annotate.models import Models
from lithograph.annotate.prompts_file import Prompt, read_prompts
from lithograph.annotate.road import Road, annotate

__all__ = ["Models", "Prompt", "Road", "annotate", "read_prompts"]
