"""Result files, known again by what they were made from."""
