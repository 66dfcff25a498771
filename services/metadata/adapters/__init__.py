"""Calls to systems outside Cingulum: values go in and out, and each adapter raises its own errors."""
