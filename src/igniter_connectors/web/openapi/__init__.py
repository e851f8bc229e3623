"""The plugin's part of the application's OpenAPI document."""
