"""LLM services, and what the database keeps of them: a module a subject."""

from app.ports.llm.account import Account
from app.ports.llm.answers import Both, LlmAnswers, NewAnswer, NewJudgement, Opinion, Said
from app.ports.llm.calls import Ledger, LlmCalls, NewCall
from app.ports.llm.jobs import Job, LlmJobs
from app.ports.llm.providers import AnswerLost, Provider, Providers
from app.ports.llm.standing import LlmStanding, NewRoute, Suspension

__all__ = [
    "Account",
    "AnswerLost",
    "Both",
    "Job",
    "Ledger",
    "LlmAnswers",
    "LlmCalls",
    "LlmJobs",
    "LlmStanding",
    "NewAnswer",
    "NewCall",
    "NewJudgement",
    "NewRoute",
    "Opinion",
    "Provider",
    "Providers",
    "Said",
    "Suspension",
]
