"""What shows and proves, and no job needs: simulated providers, the demo, drills, their reports and pictures."""
