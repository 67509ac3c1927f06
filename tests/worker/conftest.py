from worker.workshop import workshop

__all__ = ["workshop"]
