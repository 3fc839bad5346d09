"""Static files under names that change with their content, so that browsers can keep them."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, with the imports of ES modules rewritten too."""

    support_js_module_import_aggregation = True
