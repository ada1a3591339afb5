"""Checks that go on: a test that looks at many things shows all that are wrong."""
_failed = 0


def expect(what, good, *seen):
    global _failed
    if not good:
        _failed += 1
        print('FAILED:', what, *seen)


def failures():
    return _failed
