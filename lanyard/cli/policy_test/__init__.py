"""`lanyard test`: tests of a policy, as a test runner shows them, as JSON and as JUnit's XML."""
