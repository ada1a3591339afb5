"""A headless Chromium, spoken to by the DevTools protocol over a pipe."""
import json
import os
import subprocess
import tempfile


class Browser:
    def __init__(self, *arguments):
        to_child, self.requests = os.pipe()
        self.answers, from_child = os.pipe()

        def pipes():
            # Both are above the numbers that they are to have.
            os.dup2(high_in, 3)
            os.dup2(high_out, 4)

        import fcntl
        high_in = fcntl.fcntl(to_child, fcntl.F_DUPFD, 20)
        high_out = fcntl.fcntl(from_child, fcntl.F_DUPFD, 20)
        folder = tempfile.mkdtemp(dir=os.environ.get('TEST_TMPDIR'))
        environment = dict(os.environ, HOME=folder)
        self.process = subprocess.Popen(
            ['chromium', '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
             '--remote-debugging-pipe', f'--user-data-dir={folder}/profile', *arguments, 'about:blank'],
            preexec_fn=pipes, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environment)
        for descriptor in (to_child, from_child, high_in, high_out):
            os.close(descriptor)
        self.number, self.buffer, self.events, self.session = 0, b'', [], None
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        self.session = self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log'):
            self.call(domain + '.enable')

    def receive(self):
        while b'\0' not in self.buffer:
            piece = os.read(self.answers, 1 << 20)
            if not piece:
                raise EOFError('the browser has ended')
            self.buffer += piece
        message, self.buffer = self.buffer.split(b'\0', 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {'id': self.number, 'method': method, 'params': parameters}
        if self.session:
            message['sessionId'] = self.session
        os.write(self.requests, json.dumps(message).encode() + b'\0')
        while True:
            answer = self.receive()
            if answer.get('id') == self.number:
                if 'error' in answer:
                    raise RuntimeError(f'{method}: {answer["error"]}')
                return answer['result']
            self.events.append(answer)

    def open(self, url):
        self.call('Page.navigate', url=url)
        while not any(event.get('method') == 'Page.loadEventFired' for event in self.events):
            self.events.append(self.receive())

    def value(self, script):
        """What the script, which may be a promise, comes to."""
        answer = self.call('Runtime.evaluate', expression=script, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in answer:
            raise RuntimeError(f'{script}: {answer["exceptionDetails"]}')
        return answer['result'].get('value')

    def errors(self):
        """All that the page threw, and what it or the browser logged as an error or a warning."""
        found = []
        for event in self.events:
            method, parameters = event.get('method'), event.get('params', {})
            if method == 'Runtime.exceptionThrown':
                found.append(parameters['exceptionDetails'])
            elif method == 'Runtime.consoleAPICalled' and parameters['type'] in ('error', 'warning', 'assert'):
                found.append(parameters['args'])
            elif method == 'Log.entryAdded' and parameters['entry']['level'] in ('error', 'warning'):
                found.append(parameters['entry'])
        return found

    def close(self):
        self.process.terminate()
        self.process.wait()
