import yaml

from studies.comparison.model_zoo import PAGE, ROOT, page


def test_the_page_is_what_the_index_says():
    assert PAGE.read_text(encoding="utf-8") == page()
    models = yaml.safe_load((ROOT / "configs/mpm/metafile.yml").read_text(encoding="utf-8"))["Models"]
    for model in models:
        assert f"`{model['Name']}`" in page() and (ROOT / model["Config"]).is_file()
        assert "Weights" not in model or (ROOT / model["Weights"]).is_file()


def test_mim_finds_the_index():
    (path,) = yaml.safe_load((ROOT / "model-index.yml").read_text(encoding="utf-8"))["Import"]
    assert (ROOT / path).is_file()
