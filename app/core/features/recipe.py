"""How texts become features: versioned figures, so that an old project stays what it was."""

from dataclasses import dataclass

from app.core.errors import WrongInput


@dataclass(frozen=True, slots=True)
class FeatureRecipe:
    """Never change the figures of a published recipe: add one with the next version instead."""

    name: str
    word_dimensions: int = 64
    chunk_dimensions: int = 64
    max_words: int = 60_000
    max_pairs: int = 90_000
    min_texts: int = 2
    """A word or pair of words must occur in that many texts, once there are enough texts."""
    gram_sizes: tuple[int, ...] = (2, 3, 4, 5)
    gram_buckets: int = 1 << 17
    sample: int = 20_000
    """Texts on which the latent space is fitted."""

    @property
    def dimensions(self) -> int:
        return self.word_dimensions + self.chunk_dimensions


DEFAULT_RECIPE = FeatureRecipe("hybrid.v1")
RECIPES = {recipe.name: recipe for recipe in (DEFAULT_RECIPE,)}


def resolve_recipe(name: str) -> FeatureRecipe:
    """The recipe of that versioned name; "default" is the newest."""
    if name in ("auto", "default"):
        return DEFAULT_RECIPE
    try:
        return RECIPES[name]
    except KeyError:
        known = ", ".join(sorted(RECIPES))
        raise WrongInput(f"Unknown features {name!r}. Known: {known}.", field="features") from None
