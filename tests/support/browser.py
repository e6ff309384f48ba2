"""Headless Chromium that tells what its pages asked for and what their policy refused."""
import contextlib
import json
import tempfile

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1280,900")
SECONDS = 60
WATCH = """window.refused = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.refused.push([event.effectiveDirective, event.blockedURI, event.sourceFile]));"""


class Browser:
    """One tab."""

    def __init__(self, driver):
        self.driver = driver
        driver.get("about:blank")
        driver.get_log("performance")  # what the browser asked for of its own start page
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        self.asked = []

    def open(self, url):
        self.driver.get(url)

    def wait(self, css, text=None):
        """The first element that fits and has this text."""
        def found(driver):
            for element in driver.find_elements(By.CSS_SELECTOR, css):
                if element.is_displayed() and (text is None or text in element.text):
                    return element
            return False
        return self._wait().until(found, f"there is no {css} with {text!r}")

    def until(self, condition, what):
        return self._wait().until(lambda _: condition(), what)

    def _wait(self):
        """A page that is drawn again between two looks is looked at again."""
        return WebDriverWait(self.driver, SECONDS, 0.1, [StaleElementReferenceException])

    def texts(self, css):
        """What can be read in the elements that fit; one question, however many they are."""
        return self.driver.execute_script("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)", css)

    def requests(self):
        """The addresses of all requests so far; `data:` is none."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])
        return [url for url in self.asked if not url.startswith("data:")]

    def refused(self):
        """What the policy of the page that is open refused."""
        return self.driver.execute_script("return window.refused")

    def errors(self):
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


@contextlib.contextmanager
def chromium():
    """A Browser with a profile of its own, gone with it."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    with tempfile.TemporaryDirectory(prefix="carers-browser-", ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        try:
            yield Browser(driver)
        finally:
            driver.quit()
