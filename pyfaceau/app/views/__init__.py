"""The pages of the app; in a folder called ``pages``, Streamlit would make its own of them."""
