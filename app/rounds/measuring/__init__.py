"""What is measured of a closed round beside the loop. `job` says what, and in which order."""
