"""Pages under /ui/district."""

from fastapi import APIRouter

router = APIRouter(prefix="/ui/district")
