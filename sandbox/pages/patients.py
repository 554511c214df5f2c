"""The list of patients, and what a newcomer may try first."""

from collections.abc import Sequence

from flask import Blueprint, render_template, request

from sandbox.badges import badges
from sandbox.pages.forms import page_blueprint
from sandbox.story import Story


def patients_blueprint(stories: Sequence[Story]) -> Blueprint:
    """`/`: every patient, or those of whom one says all the words that are searched for."""
    blueprint = page_blueprint("patients", back_to="patients.show")

    @blueprint.get("/")
    @blueprint.get("/sandbox/")
    def show() -> str:
        words = request.args.get("words", "").strip()
        found = [story for story in stories if _tells_of(story, words)]
        return render_template("patients.html", stories=found, words=words, all_in_all=len(stories), badges=badges)

    return blueprint


def _tells_of(story: Story, words: str) -> bool:
    told = f"{story.name} {story.story} {story.slug} {' '.join(badges(story))}".casefold().replace("γ", "gamma")
    return all(word in told for word in words.casefold().replace("γ", "gamma").split())
