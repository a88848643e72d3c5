"""Every strategy there is. A changed behaviour is a new version beside the old one."""

from collections.abc import Mapping

from app.core import coldstart, reasons, uncertainty
from app.core.strategies import (
    advised,
    balance,
    committees,
    diverse,
    exploring,
    mixture,
    ranking,
    typical,
    whole_pool,
)
from app.core.strategies.density import margin_in_the_thick
from app.core.strategies.registry import Strategy

_MARGIN_DIVERSITY = Strategy(
    "margin_diversity.v1",
    "The most torn items, one from each of as many groups as the batch is large.",
    diverse.doubtful_and(diverse.by_kmeans),
    needs_probabilities=True,
)
_TYPICLUST = Strategy(
    "typiclust.v1",
    "The most typical item of each large group without labels. Needs no classifier.",
    typical.clusters_first(coldstart.typical),
)
_LOOKING_AROUND = Strategy(
    "margin_diversity.v2",
    "The most torn items, spread over groups; while classes lack labels, typical items too.",
    exploring.looking_around(_MARGIN_DIVERSITY, _TYPICLUST),
    needs_probabilities=True,
)
_ALL = (
    Strategy("random.v1", "Uniformly at random: the yardstick for all others.", ranking.at_random),
    Strategy(
        "least_confidence.v1",
        "The items whose best guess is least sure.",
        ranking.by_measure(uncertainty.least_confidence, reasons.best_guess),
        needs_probabilities=True,
    ),
    Strategy(
        "margin.v1",
        "The items most torn between their two best classes.",
        ranking.by_measure(uncertainty.margin, reasons.torn_between),
        needs_probabilities=True,
    ),
    Strategy(
        "entropy.v1",
        "The items whose probability is spread most widely over the classes.",
        ranking.by_measure(uncertainty.entropy, reasons.torn_between),
        needs_probabilities=True,
    ),
    _MARGIN_DIVERSITY,
    _LOOKING_AROUND,
    Strategy(
        "margin_kcenter.v1",
        "The most torn items, each as far as possible from the others: quicker than groups.",
        diverse.doubtful_and(diverse.by_k_centre),
        needs_probabilities=True,
    ),
    Strategy(
        "cluster_margin.v1",
        "The most torn items, taken in turns from groups, small groups first: for large batches.",
        diverse.doubtful_and(diverse.by_small_clusters),
        needs_probabilities=True,
    ),
    Strategy(
        "badge.v1",
        "Items that could move the classifier far, in different directions (k-means++ on "
        "gradients).",
        whole_pool.badge,
        needs_probabilities=True,
    ),
    Strategy(
        "coreset.v1",
        "Items farthest from everything labelled. Needs no classifier.",
        whole_pool.core_set,
    ),
    Strategy(
        "probcover.v1",
        "Items whose neighbourhoods cover most of the pool. Needs no classifier.",
        typical.most_covered,
    ),
    Strategy(
        "vote_entropy.v1",
        "The items over whose class a committee of classifiers votes most differently.",
        committees.disagreement(uncertainty.vote_entropy),
        needs_committee=True,
    ),
    Strategy(
        "bald.v1",
        "The items where a committee disagrees beyond each member's own doubt.",
        committees.disagreement(uncertainty.mutual_information),
        needs_committee=True,
    ),
    Strategy(
        "balanced_margin.v1",
        "The most torn items of the predicted classes that have the fewest labels.",
        balance.level_classes,
        needs_probabilities=True,
    ),
    Strategy(
        "density_margin.v1",
        "The most torn items in the thick of the pool.",
        ranking.by_pool(margin_in_the_thick),
        needs_probabilities=True,
    ),
    Strategy(
        "heuristic.v1",
        "Margin and diversity, raised or lowered by the user's own rules.",
        diverse.doubtful_and(diverse.by_kmeans, diverse.boosted_margin_of),
        needs_probabilities=True,
    ),
    Strategy(
        mixture.NAME,
        "Several strategies side by side, each with its share of the batch.",
        mixture.by_shares(lambda: STRATEGIES),
        needs_probabilities=True,
    ),
    _TYPICLUST,
    Strategy(
        "kmeans.v1",
        "The item nearest to the centre of each group. Needs no classifier.",
        typical.clusters_first(coldstart.nearest_to_centres),
    ),
    Strategy(
        "llm.v1",
        "The items that an LLM chose from the texts, in its order. Needs no classifier.",
        advised.chosen_by_llm(_TYPICLUST),
        advice="picks",
    ),
    Strategy(
        "doubt.v1",
        "Of a short list by margin and diversity, the items that an LLM doubts most.",
        advised.doubted_by_llm(_LOOKING_AROUND),
        needs_probabilities=True,
        advice="doubts",
    ),
    Strategy(
        "expert_list.v1",
        "The items that an expert named, in that order. Needs no classifier.",
        typical.expert_list,
    ),
)
STRATEGIES: Mapping[str, Strategy] = {strategy.name: strategy for strategy in _ALL}
