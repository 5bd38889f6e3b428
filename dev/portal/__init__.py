"""The developer portal: each BFF's reference, calls to copy and to try, who may call what, how often. Local only."""
