"""Tests of a policy: what it is to give to which resource, held against what it gives. Offline."""
