"""Texts become numbers: word TF-IDF, unigram counts and a latent space of words and characters.

Everything here is fitted once on a project's texts and then only multiplied. No text is looked at
again in a round.
"""

from app.core.features.embeddings import with_embeddings
from app.core.features.featuriser import Batches, Featuriser, fit_featuriser
from app.core.features.recipe import DEFAULT_RECIPE, RECIPES, FeatureRecipe, resolve_recipe

__all__ = [
    "DEFAULT_RECIPE",
    "RECIPES",
    "Batches",
    "FeatureRecipe",
    "Featuriser",
    "fit_featuriser",
    "resolve_recipe",
    "with_embeddings",
]
