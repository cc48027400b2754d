import{d as t}from"./chunk-43H7NROB.js";function i(e,n,r=!0){t(()=>{if(!r)return;let u=setInterval(()=>{document.hidden||n()},e);return()=>clearInterval(u)},[e,r])}export{i as a};
